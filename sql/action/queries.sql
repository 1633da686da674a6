-- Actions and reports of their progress.

-- name: list_case_actions
select (select coalesce(json_agg(action_document(a) order by a.due_on, a.id), '[]')
        from action a where a.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: get_action_plan
select null as version, action_plan_document(c) as body from review_case c where c.id = $1::uuid;

-- name: get_action_plan_page
select action_plan_page(c) as body from review_case c where c.id = $1::uuid;

-- name: create_action
select * from action_create($1::uuid, $2::jsonb);

-- name: list_actions page
-- row: action a: action_document(a)
-- sort due_on: a.due_on, a.id
-- sort -updated_at: a.updated_at desc, a.id desc
-- part committee: a.committee = claim('area')
-- part owner_organisation: a.owner_organisation = claim('organisation') and a.committee <> claim('area')
-- few: a.case_id = any ((select granted_cases())::uuid[]) and a.committee <> claim('area')
--     and a.owner_organisation <> claim('organisation')
-- filter case_id: a.case_id = $::uuid and a.committee = claim('committee')
--   index (case_id)
-- filter strategy: a.strategy_id = $::uuid
--   index (strategy_id)
-- filter owner: a.owner_organisation = any ($[])
--   index (committee, owner_organisation, due_on, id)
--   index (owner_organisation, due_on, id)
--   index (owner_organisation, updated_at desc, id desc)
-- filter status: a.status = any ($[])
--   index (committee, status, due_on, id)
--   index (committee, status, updated_at desc, id desc)
--   index (owner_organisation, status, due_on, id)
-- filter overdue=true: a.due_on < today() and a.status in ('proposed', 'agreed', 'in_progress')
--   index (committee, due_on, id) where status in ('proposed', 'agreed', 'in_progress')
--   index (owner_organisation, due_on, id) where status in ('proposed', 'agreed', 'in_progress')
--   range due_on: a.due_on < today()
-- filter overdue=false: a.due_on >= today() or a.status not in ('proposed', 'agreed', 'in_progress')
-- filter due_soon: a.due_on between today() and today() + $::integer and a.status in ('proposed', 'agreed', 'in_progress')
--   index (committee, due_on, id) where status in ('proposed', 'agreed', 'in_progress')
--   index (owner_organisation, due_on, id) where status in ('proposed', 'agreed', 'in_progress')
--   range due_on: a.due_on between today() and today() + $::integer
-- filter priority: a.priority = any ($[])
--   index (committee, priority, due_on, id)
-- filter scope: a.scope = any ($[])
--   index (committee, scope, due_on, id)
-- filter extension_requested=true: a.requested_due_on is not null
--   index (committee, due_on, id) where requested_due_on is not null
--   index (owner_organisation, due_on, id) where requested_due_on is not null
-- filter extension_requested=false: a.requested_due_on is null
-- filter due_from: a.due_on >= $::date
--   range due_on
-- filter due_to: a.due_on < $::date
--   range due_on
-- filter owner_kind: a.owner_organisation in (select o.code from organisation o where o.kind = any ($[]))
-- filter theme: a.themes && $[]
-- filter updated_since: a.updated_at >= $::timestamptz
--   range -updated_at

-- name: get_action
select version, action_document(a) as body from action a where id = $1::uuid;

-- name: change_action
select * from action_change($1::uuid, $2::bigint, $3::jsonb);

-- name: list_action_updates
select (select coalesce(json_agg(action_update_document(u) order by u.recorded_at, u.id), '[]')
        from action_update u where u.action_id = a.id) as items
from action a where a.id = $1::uuid;

-- name: add_action_update
select * from action_report($1::uuid, $2::jsonb);

-- name: complete_action
select * from action_complete($1::uuid, $2::bigint, $3::jsonb);

-- name: verify_action
select * from action_verify($1::uuid, $2::bigint, $3::jsonb);

-- name: request_extension
select * from action_extension_request($1::uuid, $2::bigint, $3::jsonb);

-- name: answer_extension
select * from action_extension_answer($1::uuid, $2::bigint, $3::jsonb);

-- name: split_action
select * from action_split($1::uuid, $2::bigint, $3::jsonb);

-- name: merge_actions
select * from actions_merge($1::uuid, $2::jsonb);

-- name: create_actions
select * from actions_create($1::uuid, $2::jsonb);

-- name: list_impact_reviews
select (select coalesce(json_agg(impact_review_document(r) order by r.reviewed_on, r.id), '[]')
        from impact_review r where r.action_id = a.id) as items
from action a where a.id = $1::uuid;

-- name: add_impact_review
select * from impact_review_add($1::uuid, $2::jsonb);
