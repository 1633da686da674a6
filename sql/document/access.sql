-- Everyone who works on a case reads its documents; the committee and the review team add them. Another organisation
-- reads a document while it is released to it, and its own releases also after their withdrawal.
grant select, insert, update on document, document_release to register_service;

create policy service_read on document_release for select to register_service using (
    (committee = (select claim('area')) or case_id = any ((select readable_cases())::uuid[]))
        and (select works_on_cases() or has_scope('notices.read'))
    or organisation = (select own_organisation()) and (select has_scope('notices.read')));
create policy service_insert on document_release for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_update on document_release for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('cases.write')));

create policy service_read on document for select to register_service using (
    (committee = (select claim('area')) or case_id = any ((select readable_cases())::uuid[]))
        and (select works_on_cases() or has_scope('notices.read'))
    or (select has_scope('notices.read')) and exists (select from document_release r
        where r.document_id = document.id and r.organisation = (select own_organisation())
            and r.withdrawn_on is null));
create policy service_insert on document for insert to register_service with check (
    (committee = (select claim('committee')) or case_id = any ((select granted_cases())::uuid[]))
    and (select has_any_scope('reviews.write', 'cases.write')));
create policy service_update on document for update to register_service using (
    (committee = (select claim('committee')) or case_id = any ((select granted_cases())::uuid[]))
    and (select has_any_scope('reviews.write', 'cases.write')));

-- The bytes are for those who read the document. Rows are added and never changed.
select close_table('document_piece');
grant select, insert on document_piece to register_service;
create policy service_read on document_piece for select to register_service using (
    exists (select from document d where d.id = document_id));
create policy service_insert on document_piece for insert to register_service with check (
    exists (select from document d where d.id = document_id
        and (d.committee = claim('committee') or d.case_id = any (granted_cases())))
    and (select has_any_scope('reviews.write', 'cases.write')));
