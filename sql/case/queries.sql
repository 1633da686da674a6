-- Cases, their children, stages and transitions.

-- name: list_cases page
-- row: review_case c: case_document(c, '{}')
-- sort -opened_on: c.opened_on desc, c.id desc
-- sort stage_due_on: c.stage_due_or_never, c.id
-- sort -updated_at: c.updated_at desc, c.id desc
-- part committee: c.committee = claim('area') and $shared is distinct from 'true'
-- few: c.id = any ((select granted_cases())::uuid[]) and $shared = 'true'
-- filter reference: c.reference = any ($[])
--   index (reference)
-- filter stage: c.stage = any ($[])
--   index (committee, stage, opened_on desc, id desc)
--   index (committee, stage, stage_due_or_never, id)
-- filter on_hold=true: c.clock_stopped
--   index (committee, opened_on desc, id desc) where clock_stopped
-- filter on_hold=false: not c.clock_stopped
-- filter review_type: c.review_type = any ($[])
--   index (committee, review_type, opened_on desc, id desc)
-- filter overdue=true: c.stage_due_or_never < today()
--   range stage_due_on
-- filter overdue=false: c.stage_due_or_never >= today()
--   range stage_due_on
-- filter due_soon: c.stage_due_or_never between today() and today() + $::integer
--   range stage_due_on
-- filter opened_from: c.opened_on >= $::date
--   range -opened_on
-- filter opened_to: c.opened_on < $::date
--   range -opened_on
-- filter criterion: c.criteria && $[]
-- filter updated_since: c.updated_at >= $::timestamptz
--   range -updated_at
-- filter retention_due=true costly: retain_until(c) < today()
-- filter retention_due=false costly: coalesce(retain_until(c) >= today(), true)

-- name: open_case
select * from case_create($1::jsonb);

-- name: get_case
select version, case_document(c, string_to_array($2, ',')) as body from review_case c where id = case_named($1);

-- name: change_case
select * from case_change($1::uuid, $2::bigint, $3::jsonb);

-- name: list_case_stages
select (select coalesce(json_agg(case_stage_document(s, case_has_holds(c.id)) order by s.sequence), '[]')
        from case_stage s where s.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: get_case_stage
select version, case_stage_document(s, case_has_holds(case_id)) as body
from case_stage s where case_id = $1::uuid and id = $2::uuid;

-- name: change_case_stage
select * from case_stage_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);

-- name: list_transitions
select version, case_transitions(c) as items from review_case c where id = $1::uuid;

-- name: move_case
select * from case_move($1::uuid, $2::bigint, $3::jsonb);

-- name: list_children
select (select coalesce(json_agg(child_document(k) order by k.id), '[]')
        from child k where k.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: add_child
select * from child_add($1::uuid, $2::jsonb);

-- name: get_child
select version, child_document(k) as body from child k where case_id = $1::uuid and id = $2::uuid;

-- name: change_child
select * from child_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);

-- name: set_legal_hold
select * from legal_hold_set($1::uuid, $2::bigint, $3::jsonb);

-- name: merge_case
select * from case_merge($1::uuid, $2::bigint, $3::jsonb);

-- Timescales and local holidays of the caller's committee.

-- name: list_own_timescales
select coalesce(json_agg(timescale_document(t) order by s.position, t.valid_from), '[]') as items
from timescale t join stage s on s.code = t.stage
where t.committee = claim('committee');

-- name: create_timescale
select * from timescale_create($1::jsonb);

-- name: list_local_holidays
select coalesce(json_agg(local_holiday_document(h) order by h.day), '[]') as items
from local_holiday h
where h.committee = claim('committee');

-- name: create_local_holiday
select * from local_holiday_create($1::jsonb);
