-- Notices, as the committee that sends them and as their recipients read them.

-- name: list_case_notices
select (select coalesce(json_agg(notice_document(n) order by n.id), '[]')
        from notice n where n.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: create_notices
select * from notices_request($1::uuid, $2::jsonb);

-- name: get_case_notice
select n.version, notice_document(n) as body
from notice n join review_case c on c.id = n.case_id
where n.case_id = $1::uuid and n.id = $2::uuid;

-- name: send_notice
select * from notice_send($1::uuid, $2::uuid, $3::jsonb);

-- name: list_notices page
-- row: notice n: notice_document(n)
-- sort -updated_at: n.updated_at desc, n.id desc
-- part committee: n.committee = claim('area')
-- part to_organisation: n.to_organisation = claim('organisation') and n.committee <> claim('area')
--     and n.sent_on is not null
-- few: n.case_id = any ((select granted_cases())::uuid[]) and n.committee <> claim('area')
--     and (n.to_organisation <> claim('organisation') or n.sent_on is null)
-- filter overdue=true: n.due_on < today() and n.sent_on is null and n.withdrawn_on is null
--   index (committee, updated_at desc, id desc) where sent_on is null and withdrawn_on is null
-- filter overdue=false: not (n.due_on < today() and n.sent_on is null and n.withdrawn_on is null)
-- filter to: n.recipient = any ($[])
--   index (committee, recipient, updated_at desc, id desc)
-- filter kind: n.kind = any ($[])
--   index (committee, kind, updated_at desc, id desc)

-- name: get_notice
select version, notice_document(n) as body from notice n where id = $1::uuid;

-- name: get_notice_content
select notice_content_document(n) as body from notice n where id = $1::uuid;

-- name: observe_notice
select * from notice_observe($1::uuid, $2::jsonb);
