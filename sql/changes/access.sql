-- Access to the change feed and the timeline.

-- Returns the lanes of the feed that the caller's scopes open.
create or replace function feed_lanes() returns text[] language plpgsql stable as $$
begin
    return array(select distinct s.lane from feed_subject s where has_any_scope(variadic s.scopes) order by 1);
end
$$;

-- Returns the channels that the caller reads: those of its organisation, of access granted to it, and of its area.
-- Empty without the scope changes.read.
create or replace function feed_channels() returns text[] language plpgsql stable as $$
declare
    organisation text := nullif(claim('organisation'), '');
    own text := nullif(own_organisation(), '');
    area text := nullif(claim('area'), '');
begin
    if organisation is null or not has_scope('changes.read') then
        return '{}';
    end if;
    return array(select distinct a || '/' || l
        from unnest(array[own, organisation || ' *', organisation || ' ' || claim('client'),
                'area-' || area]) a,
            unnest(feed_lanes()) l
        where a is not null
        order by 1);
end
$$;

select close_table(name) from unnest(array['feed_event', 'feed_sight', 'feed_mark']) name;
grant select on feed_event to register_service;

-- Events that a caller sees only through access to a case disappear with the access, except the events of removal.
create policy service_read on feed_event for select to register_service using (
    channel = any ((select feed_channels())::text[])
    and (not shared or kind = 'removed'
        or case_id = any ((select granted_cases() || liaison_cases())::uuid[])));

grant select on change to register_service;

-- A caller with access to a single case sees no changes to accesses of others or to transfers, as in case_access and
-- case_transfer. The changes of a note are for those who may read the note.
create policy service_read on change for select to register_service using (
    (committee = (select claim('area'))
        or case_id = any ((select readable_cases())::uuid[]) and subject <> all ('{access,transfer,erasure}'))
    and (subject <> 'note' or exists (select from note n where n.id = subject_id))
    and (select has_scope('cases.read')));
