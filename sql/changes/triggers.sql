-- Writing the change feed: when rows change, and when a resource becomes visible to an organisation or disappears.
-- Triggers only; consumers read with sql/changes/feed.sql.

-- Returns the case that a row belongs to; null for none.
create or replace function feed_case(s feed_subject, r jsonb) returns uuid language sql immutable as $$
    select (case s.subject when 'case' then r ->> 'id' else r ->> 'case_id' end)::uuid
$$;

-- Returns the audiences of a row: the areas of committees, the organisations that it names, and those with access to
-- its case; for a row with a `visibility`, only those that this allows. One caller may belong to several audiences.
-- They are separate because other callers belong to only some of them: chief officers see the cases of their committee,
-- but not its actions elsewhere or accesses granted to it. A row that is null has no audience.
create or replace function feed_audiences(s feed_subject, r jsonb)
returns table (audience text, sees_case boolean, shared boolean) language plpgsql stable as $$
begin
    if r is null then
        return;
    end if;
    return query
        select seen.who, bool_or(seen.whole), bool_and(seen.by_access)
        from (
            select 'area-' || (r ->> member), r ->> member = r ->> 'committee', false
                from unnest(s.committees) member
                where r ->> member is not null and coalesce(r ->> 'visibility', 'case') = 'case'
            union all
            -- Chief officers belong to the area of a committee, but do not see what only the committee sees.
            select o.code, true, false from organisation o
                where o.committee = r ->> 'committee' and r ->> 'visibility' <> 'case'
            union all
            -- All reviewers may belong to one organisation: only the client with the access gets its events.
            select (r ->> member) || case s.subject when 'access' then ' ' || coalesce(r ->> 'client', '*') else '' end,
                false, false from unnest(s.organisations) member
                where r ->> member is not null and (s.seen_with is null or r ->> s.seen_with is not null)
            union all
            select f.audience, true, true from feed_sight f
                where f.case_id = feed_case(s, r) and f.way = any (s.shared)
                    and coalesce(r ->> 'visibility', 'case') <> 'committee'
        ) seen (who, whole, by_access)
        group by seen.who;
end
$$;

-- Returns the key of the lock that changes of a case's parts share, and that beginning and ending an access to the case
-- take alone.
create or replace function feed_key(p_case uuid) returns bigint language sql immutable as $$
    select hashtextextended(p_case::text, 1)
$$;

-- Writes the event of one change for every audience. An audience that saw the row only before it gets `removed`; one
-- that sees it only afterwards gets `created` or `present`.
create or replace function feed_emit(s feed_subject, before jsonb, after jsonb, members text[]) returns void
language plpgsql as $$
declare
    r jsonb := coalesce(after, before);
    its_case uuid := feed_case(s, r);
    n bigint;
begin
    perform pg_current_xact_id(); -- a transaction needs its number before it draws event numbers (service/db/feed.c)
    if s.shared <> '{}' then
        perform pg_advisory_xact_lock_shared(feed_key(its_case));
    end if;
    n := nextval('feed_number');
    insert into feed_event (channel, number, subject, subject_id, case_id, kind, version, changed, shared)
        select audience || '/' || s.lane, n, s.subject, coalesce(r ->> 'id', r ->> 'case_id')::uuid,
            case when coalesce(new.sees_case, old.sees_case) then its_case end,
            case when new.audience is null then 'removed'
                when old.audience is not null then 'changed'
                when before is null then 'created'
                else 'present' end,
            (r ->> 'version')::bigint,
            case when old.audience is not null and new.audience is not null then members end,
            coalesce(new.shared, old.shared)
        from feed_audiences(s, before) old full join feed_audiences(s, after) new using (audience);
end
$$;

-- Returns the names of the members that differ, as the document names them, without those that it does not show.
create or replace function feed_members(s feed_subject, before jsonb, after jsonb) returns text[]
language plpgsql immutable as $$
begin
    return (select coalesce(array_agg(coalesce(s.renamed ->> a.key, a.key)
            order by coalesce(s.renamed ->> a.key, a.key)), '{}')
        from jsonb_each(after) a
        where a.value is distinct from before -> a.key
            and a.key <> all ('{version,updated_at}'::text[]) and a.key <> all (s.unshown));
end
$$;

-- Writes the events of a change to a row that belongs to a case; record_change calls it. `before` is null for a new
-- row, `after` for a deleted one. Does nothing for a subject that the feed does not contain.
create or replace function feed_change(p_subject text, before jsonb, after jsonb) returns void
language plpgsql as $$
declare
    s feed_subject;
begin
    select * into s from feed_subject f where f.subject = p_subject;
    if found then
        perform feed_emit(s, before, after,
            case when before is not null and after is not null then feed_members(s, before, after) end);
    end if;
end
$$;

-- Writes the events of pushed referrals, in one statement for all that one statement stored: they arrive many at a
-- time. The events equal those of feed_emit. Runs as the owner, who alone may write the feed.
create or replace function feed_referrals_pushed() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    insert into feed_event (channel, number, subject, subject_id, kind, version, shared)
        select who || '/referrals', n, 'referral', id, 'created', version, false
        from (select nextval('feed_number') as n, f.committee, f.source_organisation, f.id, f.version
              from fresh f offset 0) r
        cross join lateral unnest(array['area-' || r.committee, r.source_organisation]) audiences (who);
    return null;
end
$$;

-- Writes the events of a change to a referral. Runs as the owner, who alone may write the feed.
create or replace function feed_referral_changed() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    perform feed_change('referral', to_jsonb(old), case when tg_op = 'UPDATE' then to_jsonb(new) end);
    return null;
end
$$;

-- Writes an event for each part of a case that an audience sees through an access of one kind, when the access begins
-- or ends.
create or replace function feed_tell_case(p_case uuid, p_audience text, p_way text, p_kind text) returns void
language plpgsql as $$
declare
    s feed_subject;
begin
    for s in select * from feed_subject f where f.shared @> array[p_way] order by f.position loop
        execute format('insert into feed_event (channel, number, subject, subject_id, case_id, kind, version, shared)
            select $1, nextval(''feed_number''), $2, (r ->> $3)::uuid, $4, $5, (r ->> ''version'')::bigint, true
            from (select to_jsonb(t) as r from %I t where t.%I = $4) rows
            where coalesce(r ->> ''visibility'', ''case'') <> ''committee''', s.table_name,
            case s.subject when 'case' then 'id' else 'case_id' end)
            using p_audience || '/' || s.lane, s.subject, feed_key_member(s), p_case, p_kind;
    end loop;
end
$$;

-- Returns the column that identifies a subject's row: `id`, or `case_id` for a part that a case has once.
create or replace function feed_key_member(s feed_subject) returns text language sql stable as $$
    select case when exists (select from pg_attribute where attrelid = s.table_name::regclass and attname = 'id'
        and not attisdropped) then 'id' else 'case_id' end
$$;

-- Writes the events by which an access begins or ends, unless the feed already has them.
create or replace function feed_sight_set(a case_access, wanted boolean) returns void language plpgsql as $$
declare
    known boolean := exists (select from feed_sight f where f.access_id = a.id);
    v_audience text := a.organisation || ' ' || coalesce(a.client, '*');
    v_way text := case a.role when 'proceedings_liaison' then 'liaison' else 'granted' end;
begin
    if wanted = known then -- the caller has locked the access, so no other transaction changes this row
        return;
    end if;
    perform pg_current_xact_id();
    perform pg_advisory_xact_lock(feed_key(a.case_id));
    if wanted then
        insert into feed_sight (access_id, case_id, audience, way) values (a.id, a.case_id, v_audience, v_way);
        perform feed_tell_case(a.case_id, v_audience, v_way, 'present');
    else
        delete from feed_sight f where f.access_id = a.id;
        perform feed_tell_case(a.case_id, v_audience, v_way, 'removed');
    end if;
end
$$;

-- Writes the events by which a granted, changed or deleted access begins or ends. Runs as the owner, who alone may
-- write the feed.
create or replace function feed_access_changed() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    if tg_op = 'DELETE' then
        perform feed_sight_set(old, false);
    else
        perform feed_sight_set(new, access_in_force(new));
    end if;
    return null;
end
$$;

-- Ends all accesses to a case before it is deleted, so that their holders get the events of removal while its parts
-- still exist. Runs as the owner, who alone may write the feed.
create or replace function feed_case_deleted() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
declare
    a case_access;
begin
    for a in select * from case_access x where x.case_id = old.id order by x.id for update loop
        perform feed_sight_set(a, false);
    end loop;
    return old;
end
$$;

create trigger feed_pushed after insert on referral referencing new table as fresh
    for each statement execute function feed_referrals_pushed();
create trigger feed_changed after update or delete on referral
    for each row execute function feed_referral_changed();
create trigger feed_sight after insert or update or delete on case_access
    for each row execute function feed_access_changed();
create trigger feed_sight_ends before delete on review_case
    for each row execute function feed_case_deleted();

-- Returns the members that differ, each as {before, after}; leaves out members that are null on both sides.
create or replace function row_difference(before jsonb, after jsonb) returns jsonb
language plpgsql immutable as $$
begin
    return (select coalesce(jsonb_object_agg(m, jsonb_build_object('before', before -> m, 'after', after -> m)), '{}')
        from (select distinct jsonb_object_keys(before || after) as m) members
        where coalesce(before -> m, 'null') is distinct from coalesce(after -> m, 'null'));
end
$$;

-- Records the change of a row that belongs to a case in the timeline, and writes its events (feed_change). The
-- trigger's first argument is the subject; the others are members whose change is progress (a status, a due day), while
-- a change of any other member's value is a correction. Runs as the owner: the service may read the record, but not
-- write it.
create or replace function record_change() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
declare
    technical constant text[] := '{id,committee,case_id,version,created_at,updated_at,recorded_at,recorded_by,stage_due_or_never}';
    moving text[] := technical || tg_argv[1:];
    old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
    its_case uuid := (case tg_argv[0] when 'case' then new_row ->> 'id' else new_row ->> 'case_id' end)::uuid;
    difference jsonb;
begin
    perform feed_change(tg_argv[0], old_row, new_row);
    difference := case when tg_op <> 'DELETE'
        then row_difference(coalesce(old_row - technical, '{}'), new_row - technical) else '{}' end;
    if difference = '{}' or its_case is null then -- a row without a case has no timeline
        return null;
    end if;
    insert into change (committee, case_id, subject, subject_id, kind, changes, recorded_by, recorded_client)
        values (new_row ->> 'committee', its_case, tg_argv[0],
            coalesce(new_row ->> 'id', new_row ->> 'case_id')::uuid,
            case when tg_op = 'INSERT' then 'created'
                when exists (select from jsonb_each(difference - moving) d
                    where coalesce(d.value -> 'before', 'null') <> 'null') then 'corrected'
                else 'changed' end,
            difference, coalesce(nullif(claim('organisation'), ''), 'register'),
            coalesce(nullif(claim('client'), ''), 'register'));
    return null;
end
$$;

-- Gives a table its triggers: record_changes_of('finding', 'finding') or, with members whose change is progress,
-- record_changes_of('report', 'report', 'ratified_on', …). The triggers.sql of the table's subject calls it.
create or replace function record_changes_of(table_name text, subject text, variadic moving text[] default '{}')
returns void language plpgsql as $$
begin
    perform count_versions_of(table_name);
    execute format('create trigger record_change after insert or update or delete on %I for each row
        execute function record_change(%s)', table_name,
        (select string_agg(quote_literal(word), ', ' order by n)
         from unnest(array[subject] || moving) with ordinality u(word, n)));
end
$$;

-- Only triggers and functions that run as the owner write the feed.
revoke execute on function feed_emit, feed_change, feed_tell_case, feed_sight_set from register_service;
