-- A move of the case withdraws the agreement to its report: cases.write.
select open_case_part('report', array['reviews.write', 'cases.write'], true);
select open_case_part('publication', array['cases.write']);
select open_case_part('evaluation', array['cases.write']);
select open_case_part('discontinuation', array['cases.write']);

-- Only the chief officers of the area decide on the report. Rows of dissemination are added and never changed.
grant select, insert, update on ratification to register_service;
grant select, insert on dissemination to register_service;

create policy service_read on ratification for select to register_service using (
    (committee = (select claim('area')) or case_id = any ((select readable_cases())::uuid[]))
    and (select works_on_cases()));
create policy service_insert on ratification for insert to register_service with check (
    committee = (select claim('area')) and (select claim('kind')) = 'chief_officers_group'
    and (select has_scope('ratification.write')));
create policy service_update on ratification for update to register_service using (
    committee = (select claim('area')) and (select claim('kind')) = 'chief_officers_group'
    and (select has_scope('ratification.write')));

create policy service_read on dissemination for select to register_service using (
    (committee = (select claim('area')) or case_id = any ((select readable_cases())::uuid[]))
    and (select works_on_cases()));
create policy service_insert on dissemination for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
