-- Everyone who works on a case reads its tasks; the committee and the review team write them.
select open_case_part('task', array['reviews.write', 'cases.write'], true);

-- A note is for the committee, for the committee and the review team, or for everyone who works on the case.
grant select, insert, update on note to register_service;
create policy service_read on note for select to register_service using (
    (committee = (select claim('committee'))
        or visibility = 'case'
            and (committee = (select claim('area')) or case_id = any ((select readable_cases())::uuid[]))
        or visibility = 'review_team' and case_id = any ((select granted_cases())::uuid[]))
    and (select works_on_cases()));
create policy service_insert on note for insert to register_service with check (
    (committee = (select claim('committee'))
        or visibility <> 'committee' and case_id = any ((select granted_cases())::uuid[]))
    and (select has_any_scope('reviews.write', 'cases.write')));
create policy service_update on note for update to register_service using (
    (committee = (select claim('committee')) or case_id = any ((select granted_cases())::uuid[]))
    and (select has_any_scope('reviews.write', 'cases.write')));
