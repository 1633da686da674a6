-- Notes and tasks of cases.

-- name: list_notes
select (select coalesce(json_agg(note_document(n) order by n.id), '[]') from note n where n.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: add_note
select * from note_add($1::uuid, $2::jsonb);

-- name: get_note
select version, note_document(n) as body from note n where case_id = $1::uuid and id = $2::uuid;

-- name: change_note
select * from note_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);

-- name: list_case_tasks
select (select coalesce(json_agg(task_document(t) order by t.due_on, t.id), '[]') from task t where t.case_id = c.id)
    as items
from review_case c where c.id = $1::uuid;

-- name: add_task
select * from task_add($1::uuid, $2::jsonb);

-- name: get_task
select version, task_document(t) as body from task t where case_id = $1::uuid and id = $2::uuid;

-- name: change_task
select * from task_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);

-- name: list_tasks page
-- row: task t: task_document(t)
-- sort due_on: t.due_on, t.id
-- part committee: t.committee = claim('area')
-- few: t.case_id = any ((select granted_cases())::uuid[]) and t.committee <> claim('area')
-- filter status: t.status = any ($[])
--   index (committee, status, due_on, id)
-- filter owner_role: t.owner_role = any ($[])
--   index (committee, owner_role, due_on, id)
-- filter overdue=true: t.due_on < today() and t.status = 'open'
--   index (committee, due_on, id) where status = 'open'
--   range due_on: t.due_on < today()
-- filter overdue=false: t.due_on >= today() or t.status <> 'open'
-- filter due_to: t.due_on < $::date
--   range due_on

-- name: list_work
-- accepts: kind=action|extension|hold|impact_review|information_request|notice|proceeding|stage|task, due_by, within_days
select * from due_page($1::jsonb, $2::jsonb, $3::bigint);
