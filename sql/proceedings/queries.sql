-- Proceedings that run in parallel to reviews, and holds.

-- name: list_case_proceedings
select (select coalesce(json_agg(proceeding_document(p) order by p.started_on, p.id), '[]')
        from proceeding p where p.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: add_proceeding
select * from proceeding_create($1::uuid, $2::jsonb);

-- name: get_case_proceeding
-- A liaison organisation sees proceedings on their own, not as parts of a case.
select version, proceeding_document(p) as body from proceeding p
where case_id = $1::uuid and id = $2::uuid and exists (select from review_case c where c.id = p.case_id);

-- name: change_case_proceeding
select * from proceeding_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);

-- name: list_proceedings page
-- row: proceeding p: proceeding_document(p)
-- sort -started_on: p.started_on desc, p.id desc
-- part committee: p.committee = claim('area')
-- few: p.case_id = any ((select granted_cases() || liaison_cases())::uuid[]) and p.committee <> claim('area')
-- filter kind: p.kind = any ($[])
--   index (committee, kind, started_on desc, id desc)
-- filter open=true: p.ended_on is null
--   index (committee, started_on desc, id desc) where ended_on is null
-- filter open=false: p.ended_on is not null

-- name: get_proceeding
select version, proceeding_document(p) as body from proceeding p where id = $1::uuid;

-- name: change_proceeding
select * from proceeding_change(null, $1::uuid, $2::bigint, $3::jsonb);

-- name: list_holds
select (select coalesce(json_agg(hold_document(h) order by h.held_from, h.id), '[]')
        from case_hold h where h.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: list_case_restrictions
select case_restrictions(c.id) as items from review_case c where c.id = $1::uuid;

-- name: add_hold
select * from hold_create($1::uuid, $2::jsonb);

-- name: get_hold
select version, hold_document(h) as body from case_hold h where case_id = $1::uuid and id = $2::uuid;

-- name: change_hold
select * from hold_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);
