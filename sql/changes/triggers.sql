-- What the change feed is told when rows change, and when something comes into somebody's sight or leaves it.
-- Triggers only; sql/changes/feed.sql is what consumers read.

-- The case that a row belongs to.
create or replace function feed_case(s feed_subject, r jsonb) returns uuid language sql immutable as $$
    select (case s.subject when 'case' then r ->> 'id' else r ->> 'case_id' end)::uuid
$$;

-- Who sees a row: the committees' areas, the organisations that it names, and whoever has access to its case. One
-- principal may be several of these: they are kept apart, because others may be some of them only (the chief
-- officers see what their committee has, not what it owns elsewhere or was given access to).
create or replace function feed_audiences(s feed_subject, r jsonb)
returns table (audience text, sees_case boolean, shared boolean) language plpgsql stable as $$
begin
    return query
        select seen.who, bool_or(seen.whole), bool_and(seen.by_access)
        from (
            select 'area-' || (r ->> member), r ->> member = r ->> 'committee', false
                from unnest(s.committees) member where r ->> member is not null
            union all
            -- All reviewers belong to one organisation: access given to a client is told to that client.
            select (r ->> member) || case s.subject when 'access' then ' ' || coalesce(r ->> 'client', '*') else '' end,
                false, false from unnest(s.organisations) member
                where r ->> member is not null and (s.seen_with is null or r ->> s.seen_with is not null)
            union all
            select f.audience, true, true from feed_sight f
                where f.case_id = feed_case(s, r) and f.way = any (s.shared)
        ) seen (who, whole, by_access)
        group by seen.who;
end
$$;

-- The key of the lock under which access to a case begins and ends: changes of its parts share it.
create or replace function feed_key(p_case uuid) returns bigint language sql immutable as $$
    select hashtextextended(p_case::text, 1)
$$;

-- One change for everybody whom it concerns: those who see the row before but not after it lose it, those who see
-- it only after it get it.
create or replace function feed_emit(s feed_subject, before jsonb, after jsonb, members text[]) returns void
language plpgsql as $$
declare
    r jsonb := coalesce(after, before);
    its_case uuid := feed_case(s, r);
    n bigint;
begin
    perform pg_current_xact_id(); -- only a transaction that has its number draws numbers (see service/db/feed.c)
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
        from (select * from feed_audiences(s, before) where before is not null) old
        full join (select * from feed_audiences(s, after) where after is not null) new using (audience);
end
$$;

-- The names of the members that differ, as the document has them.
create or replace function feed_members(s feed_subject, before jsonb, after jsonb) returns text[]
language sql immutable as $$
    select coalesce(array_agg(coalesce(s.renamed ->> a.key, a.key)
        order by coalesce(s.renamed ->> a.key, a.key)), '{}')
    from jsonb_each(after) a
    where a.value is distinct from before -> a.key
        and a.key <> all ('{version,updated_at}'::text[]) and a.key <> all (s.unshown)
$$;

-- Called by record_change for every change of what belongs to a case; null stands for a row that is not there.
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

-- Referrals come in many at a time: one statement for all that one statement stored. What it writes is what
-- feed_emit would.
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

create or replace function feed_referral_changed() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    perform feed_change('referral', to_jsonb(old), case when tg_op = 'UPDATE' then to_jsonb(new) end);
    return null;
end
$$;

-- What belongs to a case as somebody sees it with access of one kind: told when that begins or ends.
create or replace function feed_tell_case(p_case uuid, p_audience text, p_way text, p_kind text) returns void
language plpgsql as $$
declare
    s feed_subject;
begin
    for s in select * from feed_subject f where f.shared @> array[p_way] order by f.position loop
        execute format('insert into feed_event (channel, number, subject, subject_id, case_id, kind, version, shared)
            select $1, nextval(''feed_number''), $2, (r ->> $3)::uuid, $4, $5, (r ->> ''version'')::bigint, true
            from (select to_jsonb(t) as r from %I t where t.%I = $4) rows', s.table_name,
            case s.subject when 'case' then 'id' else 'case_id' end)
            using p_audience || '/' || s.lane, s.subject, feed_key_member(s), p_case, p_kind;
    end loop;
end
$$;

-- The column that identifies a subject's row: a part that a case has once goes by the case.
create or replace function feed_key_member(s feed_subject) returns text language sql stable as $$
    select case when exists (select from pg_attribute where attrelid = s.table_name::regclass and attname = 'id'
        and not attisdropped) then 'id' else 'case_id' end
$$;

-- Brings what the feed has told of an access to what it should have told.
create or replace function feed_sight_set(a case_access, wanted boolean) returns void language plpgsql as $$
declare
    known boolean := exists (select from feed_sight f where f.access_id = a.id);
    v_audience text := a.organisation || ' ' || coalesce(a.client, '*');
    v_way text := case a.role when 'proceedings_liaison' then 'liaison' else 'granted' end;
begin
    if wanted = known then -- whoever is here has locked the access: nobody else changes what is known of it
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

create or replace function access_in_force(a case_access) returns boolean language sql stable as $$
    select a.ended_on is null and a.starts_on <= today() and (a.ends_on is null or a.ends_on >= today())
$$;

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

-- A case that is deleted takes its parts along before anybody is told: those with access lose it, and all of it,
-- while it is still there.
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

-- The members that differ, each as {before, after}; members that are null on both sides are left out.
create or replace function row_difference(before jsonb, after jsonb) returns jsonb
language sql immutable as $$
    select coalesce(jsonb_object_agg(m, jsonb_build_object('before', before -> m, 'after', after -> m)), '{}')
    from (select distinct jsonb_object_keys(before || after) as m) members
    where coalesce(before -> m, 'null') is distinct from coalesce(after -> m, 'null')
$$;

-- Records the change of a row that belongs to a case, and tells the change feed (feed_change above). The trigger's first
-- argument names the subject; the others are members that move on by themselves (a status, a due day): replacing
-- their value is progress, replacing the value of any other member is a correction. Runs as the owner: the service
-- may read the record, never write it.
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
    if difference = '{}' or its_case is null then -- what belongs to no case has no timeline
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

-- Gives a table its triggers: record_changes_of('finding', 'finding') or, with members that move by themselves,
-- record_changes_of('report', 'report', 'ratified_on', …). Called in the triggers.sql of the table's subject.
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

-- Only triggers and the functions that run as the owner tell the feed anything.
revoke execute on function feed_emit, feed_change, feed_tell_case, feed_sight_set from register_service;
