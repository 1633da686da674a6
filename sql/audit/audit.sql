-- The audit trail: adding entries, sealing and showing them, and removing those kept long enough.

-- --- adding ---------------------------------------------------------------------------------------------------------

-- Raises an error unless the claims are those of one organisation: its code, a client, and its committee or area.
create function audit_refuse_claims() returns void language plpgsql stable as $$
begin
    if not exists (select from organisation o where o.code = claim('organisation') and claim('client') <> ''
            and claim('area') = coalesce(o.committee, o.area, '')) then
        raise exception 'an entry of the audit trail needs the claims of an organisation'
            using errcode = 'insufficient_privilege';
    end if;
end
$$;

-- Lets the commit of reads not wait for the disk, if the service says so (LR_AUDIT_DURABLE).
create function audit_relax_commit() returns void language plpgsql as $$
begin
    if claim('audit_durable') = 'off' then
        perform set_config('synchronous_commit', 'off', true);
    end if;
end
$$;

-- Returns the case and the committee of a resource; nulls if it has none or no longer exists. Plain statements, whose
-- plans are kept between calls.
create function audit_subject(p_collection text, p_id uuid, out its_case uuid, out committee text)
language plpgsql stable as $$
begin
    case p_collection
        when 'cases' then
            select t.id, t.committee into its_case, committee from review_case t where t.id = p_id;
            its_case := p_id;
        when 'referrals' then
            select t.case_id, t.committee into its_case, committee from referral t where t.id = p_id;
        when 'actions' then
            select t.case_id, t.committee into its_case, committee from action t where t.id = p_id;
        when 'decisions' then
            select t.case_id, t.committee into its_case, committee from case_decision t where t.id = p_id;
        when 'information-requests' then
            select t.case_id, t.committee into its_case, committee from information_request t where t.id = p_id;
        when 'notices' then
            select t.case_id, t.committee into its_case, committee from notice t where t.id = p_id;
        when 'proceedings' then
            select t.case_id, t.committee into its_case, committee from proceeding t where t.id = p_id;
        when 'document-releases' then
            select t.case_id, t.committee into its_case, committee from document_release t where t.id = p_id;
        when 'transfers' then
            select t.case_id, t.committee into its_case, committee from case_transfer t where t.id = p_id;
        when 'erasures' then
            select t.case_id, t.committee into its_case, committee from erasure t where t.id = p_id;
        else null;
    end case;
end
$$;

-- Adds one entry about the caller in the claims. The committee of a resource without a case, or deleted by this change,
-- is that of the caller.
create function audit_add(p_operation text, p_kind text, p_request text, p_collection text, p_ids uuid[], p_parts uuid[],
        p_items integer) returns void language plpgsql as $$
declare
    v_cases uuid[] := '{}';
    v_committees text[] := '{}';
    subject record;
begin
    for n in 1 .. cardinality(p_ids) loop
        subject := audit_subject(p_collection, p_ids[n]);
        v_cases[n] := subject.its_case;
        v_committees[n] := coalesce(subject.committee, claim('area'));
    end loop;
    insert into audit_entry (organisation, client, operation, kind, request, collection, ids, cases, committees, parts,
            items)
        values (claim('organisation'), claim('client'), p_operation, p_kind, p_request, p_collection, p_ids, v_cases,
            case when p_ids = '{}' and claim('area') <> '' then array[claim('area')] else v_committees end,
            p_parts, p_items);
end
$$;

-- Adds the entry for a response, in the transaction that made the response. Runs as the owner: the service can add only
-- entries about the caller in its claims, by which the policies also decide.
create function audit_write(p_operation text, p_kind text, p_request text, p_collection text, p_ids uuid[],
        p_parts uuid[], p_items integer) returns void
language plpgsql security definer set search_path from current as $$
begin
    perform audit_refuse_claims();
    if p_kind = 'read' then
        perform audit_relax_commit();
    elsif p_operation = 'mergeCase' then -- it changes two cases
        p_ids := p_ids || array(select c.merged_into from review_case c where c.id = any (p_ids));
    elsif p_operation = 'anonymiseCase' then -- nothing must connect the case with its remains
        p_parts := '{}';
    end if;
    perform audit_add(p_operation, p_kind, p_request, p_collection, p_ids, p_parts, p_items);
end
$$;

-- Adds the entries of several reads of one caller, in a transaction of their own before the responses are sent
-- (service/db/audited_read.h), and returns their numbers `n`. Runs as the owner, as audit_write does.
create function audit_write_reads(entries json) returns setof integer
language plpgsql security definer set search_path from current as $$
begin
    perform audit_refuse_claims();
    perform audit_relax_commit();
    perform audit_add(e.operation, 'read', e.request, e.collection, e.ids::uuid[], e.parts::uuid[], e.items)
        from json_to_recordset(entries) e (operation text, request text, collection text, ids text, parts text,
            items integer);
    return query select e.n from json_to_recordset(entries) e (n integer);
end
$$;

-- Adds an entry for each pushed referral, in the statement that stores them and cannot see them yet; always true. Runs
-- as the owner, as audit_write does.
create function audit_pushed(requests text[], kinds text[], ids uuid[], cases uuid[], committees text[])
returns boolean language plpgsql security definer set search_path from current as $$
begin
    perform audit_refuse_claims();
    insert into audit_entry (organisation, client, operation, kind, request, collection, ids, cases, committees, parts)
        select claim('organisation'), claim('client'), 'pushReferral', p.kind, p.request, 'referrals', array[p.id],
            array[p.its_case], array[p.committee], '{}'
        from unnest(requests, kinds, ids, cases, committees) p (request, kind, id, its_case, committee);
    return true;
end
$$;

-- --- sealing --------------------------------------------------------------------------------------------------------

-- Returns the bytes of an entry that are hashed: its columns in PostgreSQL's binary form, each with its type and
-- length. The verifier (service/db/audit_chain.c) builds the same bytes on its own. Columns added later must not be
-- added here.
create function audit_bytes(e audit_entry) returns bytea language sql stable as $$
    select record_send(row(e.number, e.at, e.organisation, e.client, e.operation, e.kind, e.request, e.collection,
        e.ids, e.cases, e.committees, e.parts, e.items))
$$;

-- Seals at most so many entries and returns how many; 0 if another instance is doing so. An entry can be sealed once
-- every transaction that could add an earlier one has ended, so that no writer waits. The order matters: the
-- transaction's own number must be drawn after the sequence was read. Runs as the owner: the service may not write
-- seals.
create function audit_seal_next(most integer) returns integer
language plpgsql security definer set search_path from current as $$
declare
    drawn bigint;
    h audit_head;
    e audit_entry;
    running pg_snapshot;
    numbers bigint[] := '{}';
    hashes bytea[] := '{}';
    n integer := 0;
begin
    if not pg_try_advisory_xact_lock(7262534100) then
        return 0;
    end if;
    select s.last_value into drawn from audit_number s;
    select * into h from audit_head;
    running := pg_current_snapshot();
    -- A transaction number from the future comes from the cluster from which this database was copied.
    if h.next_transaction <= pg_snapshot_xmin(running) or h.next_transaction > pg_snapshot_xmax(running) then
        if h.next_transaction <= pg_snapshot_xmin(running) then
            for e in select * from audit_entry a where a.number > h.number and a.number <= h.next_number
                    order by a.number limit most loop
                h.hash := sha256(h.hash || audit_bytes(e));
                h.number := e.number;
                n := n + 1;
                numbers[n] := e.number;
                hashes[n] := h.hash;
            end loop;
            insert into audit_seal (number, position, hash)
                select s.number, h.position + s.place, s.hash
                from unnest(numbers, hashes) with ordinality s (number, hash, place);
            h.position := h.position + n;
        end if;
        if n < most and h.next_number <> drawn then
            h.next_number := drawn;
            h.next_transaction := pg_current_xact_id();
        elsif n = 0 then
            return 0;
        end if;
        update audit_head set position = h.position, number = h.number, hash = h.hash, sealed_at = now(),
                next_number = h.next_number, next_transaction = h.next_transaction;
    end if;
    return n;
end
$$;

-- Returns where the chain ends, for anchors kept elsewhere, and for how many seconds the oldest entry has waited to be
-- sealed. Runs as the owner: the service reads no entry without claims.
create function audit_state(out sealed bigint, out anchor text, out behind double precision)
language plpgsql stable security definer set search_path from current as $$
begin
    select h.position, h.position || ':' || encode(h.hash, 'hex'),
            coalesce((select extract(epoch from clock_timestamp() - e.at) from audit_entry e
                where e.number > h.number order by e.number limit 1), 0)
        into sealed, anchor, behind
        from audit_head h;
end
$$;

-- Returns the triggers of the schema that are disabled and those of the trail that are missing; null if there are none.
-- A trigger that fires only for replication counts as disabled. Runs as the owner: it returns names of triggers, no
-- entry.
create function audit_triggers_off() returns text
language sql stable security definer set search_path from current as $$
    select string_agg(name, ', ' order by name)
    from (
        select c.relname || '.' || t.tgname as name
        from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where c.relnamespace = 'register'::regnamespace and t.tgenabled in ('D', 'R')
        union
        select w.tab || '.' || w.trigger
        from (values ('audit_entry', 'only_added'), ('audit_entry', 'never_emptied'), ('audit_seal', 'only_added'),
            ('audit_seal', 'never_emptied'), ('audit_checkpoint', 'only_added'), ('audit_checkpoint', 'never_emptied'),
            ('audit_checkpoint', 'old_enough')) w (tab, trigger)
        where not exists (select from pg_trigger t
            where t.tgrelid = ('register.' || w.tab)::regclass and t.tgname = w.trigger)
    ) found
$$;

-- Returns the facts by which an instance watches the trail, from one snapshot: its end, the hash at a known position,
-- and one step of a patrol through all seals, after the position at which the last step ended (0: the beginning). `gap`
-- is the first position of the step without a seal or entry. See service/db/audit_watch.c. Runs as the owner: it
-- returns positions and hashes, no entry.
create function audit_watch(known_position bigint, known_number bigint, from_position bigint,
    from_number bigint, step integer, out "position" bigint, out number bigint, out hash text,
    out behind double precision, out known_hash text, out removed bigint, out patrol_position bigint,
    out patrol_number bigint, out round_ends boolean, out gap bigint, out disabled text)
language plpgsql stable security definer set search_path from current as $$
declare
    start audit_checkpoint;
    seals bigint;
begin
    select h.position, h.number, encode(h.hash, 'hex') into "position", number, hash from audit_head h;
    select s.behind into behind from audit_state() s;
    select * into start from audit_checkpoint c order by c.position desc limit 1;
    removed := coalesce(start.position, 0);
    select encode(s.hash, 'hex') into known_hash from audit_seal s
        where s.number = known_number and s.position = known_position;
    if from_position < removed then
        from_position := start.position;
        from_number := start.number;
    end if;
    select count(*), max(s.position), max(s.number),
            min(from_position + s.place) filter (where s.position <> from_position + s.place or not s.has_entry)
        into seals, patrol_position, patrol_number, gap
        from (select a.position, a.number, row_number() over (order by a.number) as place,
                exists (select from audit_entry e where e.number = a.number) as has_entry
            from (select * from audit_seal x where x.number > from_number order by x.number limit step) a) s;
    round_ends := seals < step;
    patrol_position := coalesce(patrol_position, from_position);
    patrol_number := coalesce(patrol_number, from_number);
    if round_ends and gap is null and patrol_position < "position" then
        gap := patrol_position + 1;
    end if;
    disabled := audit_triggers_off();
end
$$;

-- Returns the identifiers that belonged to the caller's committee; all of them for an auditor.
create function audit_own(ids uuid[], committees text[]) returns uuid[] language sql stable as $$
    select case when audits_all() then ids else array(
        select i.id from unnest(ids, committees) with ordinality i (id, committee, place)
        where i.committee = claim('area') and i.id is not null order by i.place) end
$$;

-- The document of an entry. An auditor sees all of it; other callers see only the identifiers and committees that are
-- their own.
create function audit_document(e audit_entry) returns json language sql stable as $$
    select json_build_object(
        'number', e.number,
        'at', rendered(e.at),
        'organisation', e.organisation,
        'client', e.client,
        'operation', e.operation,
        'kind', e.kind,
        'request_id', e.request,
        'collection', e.collection,
        'ids', audit_own(e.ids, e.committees),
        'case_ids', array(select distinct c from unnest(audit_own(e.cases, e.committees)) c
            where c is not null order by c),
        'committees', array(select distinct c from unnest(e.committees) c
            where audits_all() or c = claim('area') order by c),
        'part_ids', e.parts,
        'items', e.items)
$$;

-- Returns one page of the sealed part of the trail, where no entry can be inserted later. Runs as the owner, because
-- the filters of the policies would prevent use of the index on cases; it shows no more than they do. Planned at each
-- call with its values, like other lists (service/db/lists.py): the index finds the entries of a case or referral, and
-- the other filters apply to at most 5000 entries, behind the last of which the next page begins.
create function audit_page(filters jsonb, after jsonb, how_many bigint)
returns table (items json, next json)
language plpgsql stable security definer set search_path from current as $$
declare
    oldest_first constant boolean := filters ->> 'sort' = 'number';
begin
    return query execute format('
        with page as (
            select s.e, s.number, s.matched, s.n = 5000 as edge, row_number() over (order by s.number %1$s) as place
            from (select e, e.number, row_number() over (order by e.number %1$s) as n,
                    ($1 ->> ''organisation'' is null or e.organisation = $1 ->> ''organisation'')
                    and ($1 ->> ''client'' is null or e.client = $1 ->> ''client'')
                    and ($1 ->> ''operation'' is null or e.operation = $1 ->> ''operation'')
                    and ($1 ->> ''kind'' is null or e.kind = $1 ->> ''kind'')
                    and ($1 ->> ''from'' is null or e.at >= ($1 ->> ''from'')::timestamptz)
                    and ($1 ->> ''to'' is null or e.at < ($1 ->> ''to'')::timestamptz) as matched
                from audit_entry e
                where e.number <= (select h.number from audit_head h)
                    and ($2 is null or e.number %2$s ($2 ->> 0)::bigint)
                    and ($1 ->> ''case_id'' is null or e.cases @> array[($1 ->> ''case_id'')::uuid])
                    and ($1 ->> ''referral_id'' is null
                        or e.collection = ''referrals'' and e.ids @> array[($1 ->> ''referral_id'')::uuid])
                    and ($4 or $5 and e.committees @> array[$6]
                        -- A filter by a case of another committee does not find an entry that contains it.
                        and ($1 ->> ''case_id'' is null
                            or ($1 ->> ''case_id'')::uuid = any (audit_own(e.cases, e.committees)))
                        and ($1 ->> ''referral_id'' is null
                            or ($1 ->> ''referral_id'')::uuid = any (audit_own(e.ids, e.committees))))
                order by e.number %1$s
                limit 5000) s
            where s.matched or s.n = 5000
            order by s.number %1$s
            limit $3 + 1
        )
        select coalesce(json_agg(audit_document(e) order by place) filter (where place <= $3 and matched), ''[]''),
            case when bool_or(place > $3 or edge) then
                (json_agg(json_build_array(number) order by place desc) filter (where place <= $3)) -> 0 end
        from page', case when oldest_first then 'asc' else 'desc' end, case when oldest_first then '>' else '<' end)
        using filters, after, how_many, audits_all(), has_scope('audit.read') and claim('area') <> '', claim('area');
end
$$;

-- The document of the end of the chain: the position, hash and number of the last sealed entry.
create function audit_head_document() returns json language sql stable as $$
    select json_build_object('count', h.position, 'hash', encode(h.hash, 'hex'), 'number', h.number,
        'sealed_at', rendered(h.sealed_at), 'removed', h.removed)
    from audit_head h
$$;

-- --- removing -------------------------------------------------------------------------------------------------------

-- Removes one step of the oldest entries kept long enough, keeps a checkpoint from which the chain continues, and adds
-- an entry about this. Returns how many. Runs as the owner: the service deletes nothing; triggers hold the owner to the
-- same rule.
create function audit_prune(step integer) returns integer
language plpgsql security definer set search_path from current as $$
declare
    last audit_seal;
    gone integer;
begin
    if not pg_try_advisory_xact_lock(7262534101) then
        return 0;
    end if;
    select s.* into last
        from (select a.number, bool_and(a.at <= now() - audit_kept()) over (order by a.number) as old
              from (select * from audit_entry a order by a.number limit step) a) run
        join audit_seal s on s.number = run.number
        where run.old
        order by s.number desc limit 1;
    if not found then
        return 0;
    end if;
    insert into audit_checkpoint (position, number, hash) values (last.position, last.number, last.hash);
    delete from audit_entry e where e.number <= last.number;
    get diagnostics gone = row_count;
    delete from audit_seal s where s.number <= last.number;
    delete from audit_checkpoint c where c.number < last.number;
    update audit_head set removed = last.position;
    insert into audit_entry (organisation, client, operation, kind, request, collection, ids, cases, committees, parts,
            items)
        values ('register', 'register', 'pruneAudit', 'change', last.position || ':' || encode(last.hash, 'hex'),
            'audit', '{}', '{}', '{}', '{}', gone);
    return gone;
end
$$;
