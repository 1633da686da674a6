-- A notice belongs to the committee that must send it and, once sent, to its recipient. Chief officers cause notices by
-- ratifying; the inspectorate adds its observations.
grant select, insert, update on notice to register_service;
create policy service_read on notice for select to register_service using (
    (committee = (select claim('area')) or case_id = any ((select readable_cases())::uuid[]))
        and (select works_on_cases() or has_scope('notices.read'))
    or to_organisation = (select own_organisation()) and sent_on is not null
        and (select has_any_scope('notices.read', 'observations.write')));
create policy service_insert on notice for insert to register_service with check (
    committee = (select claim('committee')) and (select has_any_scope('cases.write', 'decisions.write'))
    or committee = (select claim('area')) and (select has_scope('ratification.write')));
create policy service_update on notice for update to register_service using (
    committee = (select claim('committee')) and (select has_any_scope('cases.write', 'decisions.write'))
    or committee = (select claim('area')) and (select has_scope('ratification.write'))
    or to_organisation = (select own_organisation()) and sent_on is not null
        and (select claim('kind') = 'inspectorate' and has_scope('observations.write')));
