-- Whether the access has not ended: it is in force, or it begins later.
create or replace function access_continues(a case_access) returns boolean language sql stable as $$
    select a.ended_on is null and (a.ends_on is null or a.ends_on >= today())
$$;

-- Whether the access is in force today.
create or replace function access_in_force(a case_access) returns boolean language sql stable as $$
    select access_continues(a) and a.starts_on <= today()
$$;

grant select, insert, update on case_access, case_transfer to register_service;

create policy service_read on case_access for select to register_service using (
    committee = (select claim('area')) and (select works_on_cases())
    or organisation = (select claim('organisation')) and (client is null or client = (select claim('client')))
        and (select works_on_cases())
    -- A committee that takes a case over chooses which accesses remain.
    or case_id = any ((select offered_cases())::uuid[]) and (select works_on_cases()));
create policy service_insert on case_access for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_update on case_access for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('cases.write')));

create policy service_read on case_transfer for select to register_service using (
    (select claim('area')) in (from_committee, to_committee) and (select has_any_scope('cases.read', 'cases.write')));
create policy service_insert on case_transfer for insert to register_service with check (
    committee = (select claim('committee')) and from_committee = committee and (select has_scope('cases.write')));
create policy service_update on case_transfer for update to register_service using (
    (select claim('committee')) in (from_committee, to_committee) and (select has_scope('cases.write')));
