-- Documents of cases, their bytes, and their releases. The addresses below a case are for those who see the case; a
-- recipient uses the address of its release.

-- name: list_documents
select (select coalesce(json_agg(document_entry(d) order by d.id), '[]') from document d where d.case_id = c.id)
    as items
from review_case c where c.id = $1::uuid;

-- name: add_document
select * from document_add($1::uuid, $2::jsonb);

-- name: get_document
select d.version, document_entry(d) as body from review_case c join document d on d.case_id = c.id
where c.id = $1::uuid and d.id = $2::uuid;

-- name: describe_document
select * from document_describe($1::uuid, $2::uuid, $3, $4::integer, $5);

-- name: add_document_piece
select document_add_piece($1::uuid, $2::integer, $3);

-- name: get_document_content
select w.* from review_case c join document d on d.case_id = c.id cross join document_download(d.id) w
where c.id = $1::uuid and d.id = $2::uuid;

-- name: get_released_content
select w.* from document_release r, document_download(r.document_id) w
where r.id = $1::uuid and r.withdrawn_on is null;

-- name: read_document_piece
select encode(content, 'hex') as piece from document_piece where document_id = $1::uuid and number = $2::integer;

-- name: list_document_releases
select (select coalesce(json_agg(release_document(r) order by r.id), '[]')
        from document_release r where r.document_id = d.id) as items
from review_case c join document d on d.case_id = c.id where c.id = $1::uuid and d.id = $2::uuid;

-- name: release_document
select * from document_release_add($1::uuid, $2::uuid, $3::jsonb);

-- name: list_received_documents
select coalesce(json_agg(release_document(r) order by r.id desc), '[]') as items
from (select * from document_release x where x.organisation = own_organisation() order by x.id desc limit 1000) r;

-- name: get_document_release
select version, release_document(r) as body from document_release r where id = $1::uuid;

-- name: withdraw_document_release
select * from document_release_withdraw($1::uuid, $2::bigint, $3::jsonb);
