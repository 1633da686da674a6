select open_case_part('case_decision', array['decisions.write', 'cases.write']);
select open_case_part('recommendation', array['cases.write']);

-- The inspectorate reads the decisions of all committees.
create policy inspectorate_read on case_decision for select to register_service using (
    (select claim('kind')) = 'inspectorate' and (select has_scope('decisions.read')));

-- An information request belongs to the committee that asks and to the organisation that it asks.
grant select, insert, update on information_request to register_service;
create policy service_read on information_request for select to register_service using (
    (committee = (select claim('area')) or case_id = any ((select readable_cases())::uuid[]))
        and (select works_on_cases() or has_scope('information.read'))
    or organisation = (select own_organisation())
        and (select has_any_scope('information.read', 'information.write')));
create policy service_insert on information_request for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_update on information_request for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('cases.write'))
    or organisation = (select own_organisation()) and (select has_scope('information.write')));
