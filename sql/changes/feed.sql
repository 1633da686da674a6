-- Reading the change feed, and its maintenance.

-- Returns the version of a resource as the caller sees it now; null if it does not see the resource.
create function feed_version(s feed_subject, p_id uuid) returns bigint language plpgsql stable as $$
declare
    found_version bigint;
begin
    execute format('select version from %I where %I = $1', s.table_name, feed_key_member(s))
        into found_version using p_id;
    return found_version;
end
$$;

-- Returns the path of a resource with its identifiers filled in.
create function feed_link(path text, p_id uuid, p_case uuid) returns text language sql immutable as $$
    select replace(replace(path, '{id}', p_id::text), '{case}', coalesce(p_case::text, ''))
$$;

-- Returns the names of the members that changed, without those that the caller may not see.
create function feed_visible_members(members text[], guarded text[]) returns text[] language plpgsql stable as $$
begin
    if not members && guarded or has_scope('children.read') then
        return members;
    end if;
    return array(select m from unnest(members) m where m <> all (guarded));
end
$$;

-- The document of one event. A removed resource has no link, no version and no case. It has no subqueries, so that the
-- planner can make it part of the calling query.
create function feed_document(p_id text, subject text, subject_id uuid, its_case uuid, kind text,
    version bigint, members text[], at timestamptz, link text) returns json language sql stable as $$
    select json_build_object(
        'id', p_id,
        'type', subject || '.' || kind,
        'subject', subject,
        'subject_id', subject_id,
        'case_id', case when link is not null then its_case end,
        'version', case when link is not null then version end,
        'changed', coalesce(members, '{}'),
        'occurred_at', rendered(at),
        'links', json_build_object('self', link))
$$;

-- Returns the event in the form of CloudEvents 1.0.
create function feed_cloud_event(event json, link text) returns json language sql stable as $$
    select json_build_object(
        'specversion', '1.0',
        'id', event ->> 'id',
        'source', '/v1/changes',
        'type', 'learning-reviews.' || (event ->> 'type'),
        'subject', coalesce(link, (event ->> 'subject') || '/' || (event ->> 'subject_id')),
        'time', event ->> 'occurred_at',
        'datacontenttype', 'application/json',
        'data', event)
$$;

-- Returns a short name of the set of channels that a caller reads. A cursor contains it, so that changed scopes make
-- the cursor invalid.
create function feed_sight_name(channels text[]) returns text language sql immutable as $$
    select left(md5(array_to_string(channels, ' ')), 12)
$$;

-- Returns a page of events after the position `after` (null: from the oldest) up to the number `safe`, by number.
-- `onward` is the position to continue from: the number of the last event, or `safe` if there are no more. Refuses with
-- 410 `cursor_expired` a position that is too old, of other channels, or from the future.
create function feed_page(after jsonb, how_many integer, safe bigint, cloud boolean)
returns table (items json, onward json, more boolean, topics json) language plpgsql stable
set enable_seqscan = off set enable_bitmapscan = off as $$
declare
    channels text[] := feed_channels();
    sight text := feed_sight_name(channels);
    kept_from bigint := (select f.number from feed_floor f);
    start bigint := coalesce((after ->> 'n')::bigint, kept_from);
    last bigint;
begin
    if start < kept_from or after ->> 's' <> sight or start > (select last_value from feed_number) then
        perform refuse(410, 'cursor_expired');
    end if;
    perform set_config('register.offered', '', true); -- offered cases join the feed once they are transferred
    with found as (
        select distinct on (e.number) e.*
        from unnest(channels) c
        cross join lateral (select f.* from feed_event f
            where f.channel = c and f.number > start and f.number <= safe
            order by f.number
            limit how_many + 1) e
        -- Of several events with one number, takes the one with the most content.
        order by e.number, array_position('{changed,created,present,removed}', e.kind), e.case_id is null
        limit how_many + 1
    ), shown as (
        select f.number, f.subject, f.subject_id, f.occurred_at, coalesce(f.case_id,
                case f.subject when 'case' then f.subject_id end) as its_case,
            case when f.kind <> 'removed' then f.kind when sees.now is not null then 'present' else 'removed' end
                as kind,
            case f.kind when 'removed' then sees.now else f.version end as version,
            case f.kind when 'changed' then feed_visible_members(f.changed, s.guarded) end as members,
            case when f.kind <> 'removed' or sees.now is not null then
                feed_link(s.path, f.subject_id, f.case_id) end as link
        from (select * from found order by number limit how_many) f
        join feed_subject s on s.subject = f.subject
        -- A resource that disappeared from one channel may still be visible through another.
        cross join lateral (select case f.kind when 'removed' then feed_version(s, f.subject_id) end as now offset 0) sees
    ), page as (
        select number, link, feed_document(number::text, subject, subject_id, its_case, kind, version, members,
            occurred_at, link) as event
        from shown
    )
    select coalesce(json_agg(case when cloud then feed_cloud_event(event, link) else event end order by number), '[]'),
            (select count(*) > how_many from found), max(number)
        into items, more, last
        from page;
    onward := json_build_object('n', case when more then last else greatest(start, safe) end, 's', sight);
    topics := array_to_json(channels);
    return next;
end
$$;

-- Returns a page of the resources that the caller sees now, kind by kind, for a new consumer. Afterwards the feed
-- continues at the position of the first page: changes since then follow there (again). Refuses with 410
-- `cursor_expired` as feed_page does.
create function feed_snapshot(after jsonb, how_many integer, safe bigint, cloud boolean)
returns table (items json, onward json, feed boolean) language plpgsql stable as $$
declare
    channels text[] := feed_channels();
    sight text := feed_sight_name(channels);
    start bigint := coalesce((after ->> 'n')::bigint, safe);
    place integer := coalesce((after ->> 'p')::integer, 0);
    last uuid := (after ->> 'i')::uuid;
    from_id uuid;
    found json[] := '{}';
    s feed_subject;
    r record;
    sees_case boolean;
    link text;
    event json;
begin
    if start < (select f.number from feed_floor f) or after ->> 's' <> sight then
        perform refuse(410, 'cursor_expired');
    end if;
    perform set_config('register.offered', '', true); -- as in feed_page
    feed := true;
    <<subjects>>
    for s in select * from feed_subject f where f.position >= place and f.lane = any (feed_lanes())
            and channels <> '{}' order by f.position loop
        from_id := case when s.position = place then last end;
        for r in execute format('select (j ->> $3)::uuid as id, (j ->> ''version'')::bigint as version,
                feed_case($4, j) as its_case, j ->> ''committee'' as committee,
                (j ->> ''updated_at'')::timestamptz as updated_at
                from (select j from (select to_jsonb(t) as j, t.%2$I as key from %1$I t where $1 is null or t.%2$I > $1) seen
                    where $5 and j ->> ''committee'' is not null or j ->> ''committee'' = claim(''area'')
                        or (j ->> ''case_id'')::uuid = any (granted_cases() || liaison_cases())
                    order by key limit $2) page', s.table_name, feed_key_member(s))
                using from_id, how_many + 1 - cardinality(found), feed_key_member(s), s,
                    -- The inspectorate sees decisions, but not the cases to which their links would point.
                    s.organisations <> '{}' or s.path not like '%{case}%' loop
            if cardinality(found) = how_many then
                feed := false;
                exit subjects;
            end if;
            sees_case := r.committee = claim('area') or r.its_case = any (granted_cases() || liaison_cases());
            link := feed_link(s.path, r.id, r.its_case);
            event := feed_document(format('present-%s-%s', r.id, r.version), s.subject, r.id,
                case when sees_case then r.its_case end, 'present', r.version, null, r.updated_at, link);
            found := found || case when cloud then feed_cloud_event(event, link) else event end;
            place := s.position;
            last := r.id;
        end loop;
    end loop;
    items := array_to_json(found);
    onward := case when feed then json_build_object('n', start, 's', sight)
        else json_build_object('n', start, 's', sight, 'p', place, 'i', last) end;
    return next;
end
$$;

-- Returns the topics (channels) that have events with numbers above `after` up to `safe`. Runs as the owner: the
-- service asks for the channels of several callers at once, and learns only whether there is news.
create function feed_fresh(topics text[], after bigint, safe bigint) returns setof text
language sql stable security definer set search_path from current as $$
    select t from unnest(topics) t
    where exists (select from feed_event e where e.channel = t and e.number > after and e.number <= safe)
$$;

-- Deletes one step of the events older than `days` (at least 7) and returns the number deleted; 0 if another instance
-- is doing so. Runs as the owner: the events belong to all organisations.
create function feed_expire(days integer, step integer) returns integer
language plpgsql security definer set search_path from current as $$
declare
    bound bigint;
    c text := '';
    gone integer := 0;
    more integer;
begin
    perform refuse_short_retention(days);
    if not pg_try_advisory_xact_lock(7262534070) then
        return 0;
    end if;
    insert into feed_mark (number) select n.last_value from feed_number n
        where not exists (select from feed_mark m where m.at > now() - interval '1 hour')
        on conflict do nothing;
    delete from feed_mark m where m.number < (select max(o.number) from feed_mark o
        where o.at < now() - make_interval(days => days));
    select m.number into bound from feed_mark m where m.at < now() - make_interval(days => days)
        order by m.number desc limit 1;
    if bound is null then
        return 0;
    end if;
    update feed_floor set number = bound where number < bound;
    loop
        select min(e.channel) into c from feed_event e where e.channel > c;
        exit when c is null or gone >= step;
        delete from feed_event e where e.channel = c and e.number in (select d.number from feed_event d
            where d.channel = c and d.number <= bound order by d.number limit step - gone);
        get diagnostics more = row_count;
        gone := gone + more;
    end loop;
    return gone;
end
$$;


-- Emits the events of one access that begins or ends by date, when no row changes, and returns the number of accesses.
-- Runs as the owner: the access may belong to any committee.
create function feed_sight_due() returns integer
language plpgsql security definer set search_path from current as $$
declare
    a case_access;
begin
    select * into a from case_access x
        where access_in_force(x) <> exists (select from feed_sight f where f.access_id = x.id)
        order by x.id
        limit 1
        for update skip locked;
    if not found then
        return 0;
    end if;
    perform feed_sight_set(a, access_in_force(a));
    return 1;
end
$$;
