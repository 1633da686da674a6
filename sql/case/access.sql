select open_case_part('child', array['cases.write']);
select open_case_part('case_stage', array['cases.write', 'proceedings.write']);

grant select, insert, update on review_case, case_counter to register_service;

create policy service_read on review_case for select to register_service using (
    (committee = (select claim('area')) or id = any ((select readable_cases())::uuid[])) and (select works_on_cases()));
create policy service_insert on review_case for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_update on review_case for update to register_service using (
    committee = (select claim('committee')) and (select has_any_scope('cases.write', 'decisions.write',
        'actions.write', 'proceedings.write', 'holds.legal', 'retention.write')));

create policy service_read on case_counter for select to register_service using (
    committee = (select claim('committee')));
create policy service_insert on case_counter for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_update on case_counter for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('cases.write')));

-- Every organisation computes with the timescales and holidays of every committee; each committee sets its own.
grant select, insert on timescale, local_holiday to register_service;
create policy service_read on timescale for select to register_service using (true);
create policy service_insert on timescale for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_read on local_holiday for select to register_service using (true);
create policy service_insert on local_holiday for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
