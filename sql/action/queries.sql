-- Actions and reports of their progress.

-- name: list_case_actions
select (select coalesce(json_agg(action_document(a) order by a.due_on, a.id), '[]')
        from action a where a.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: create_action
select * from action_create($1::uuid, $2::jsonb);

-- name: list_actions unprepared
-- Reads each part in the order of an index, which is impossible for the parts that row-level security joins by `or`.
-- Actions of cases opened to the caller are few and are found by case: `offset 0` keeps the planner from other indexes
-- there.
with seen as (
    (select a from action a
        where a.committee = claim('area') and action_fits(a, $1::jsonb)
            and ($2::jsonb is null or (a.due_on, a.id) > (($2::jsonb ->> 0)::date, ($2::jsonb ->> 1)::uuid))
        order by a.due_on, a.id limit $3::bigint + 1)
    union all
    (select a from action a
        where a.owner_organisation = claim('organisation')
            and a.committee <> claim('area') and action_fits(a, $1::jsonb)
            and ($2::jsonb is null or (a.due_on, a.id) > (($2::jsonb ->> 0)::date, ($2::jsonb ->> 1)::uuid))
        order by a.due_on, a.id limit $3::bigint + 1)
    union all
    (select g.a from (select a from action a where a.case_id = any ((select granted_cases())::uuid[]) offset 0) g
        where (g.a).committee <> claim('area')
            and (g.a).owner_organisation <> claim('organisation') and action_fits(g.a, $1::jsonb)
            and ($2::jsonb is null or ((g.a).due_on, (g.a).id) > (($2::jsonb ->> 0)::date, ($2::jsonb ->> 1)::uuid)))
), page as (
    select a, row_number() over (order by (a).due_on, (a).id) as place
    from seen
    order by (a).due_on, (a).id
    limit $3::bigint + 1
)
select coalesce(json_agg(action_document(a) order by place) filter (where place <= $3::bigint), '[]') as items,
    (json_agg(json_build_array((a).due_on, (a).id)) filter (where place = $3::bigint
        and exists (select from page where place > $3::bigint))) -> 0 as next
from page;

-- name: list_actions_updated unprepared
with seen as (
    (select a from action a
        where a.committee = claim('area') and action_fits(a, $1::jsonb)
            and ($2::jsonb is null or (a.updated_at, a.id)
                < (($2::jsonb ->> 0)::timestamptz, ($2::jsonb ->> 1)::uuid))
        order by a.updated_at desc, a.id desc limit $3::bigint + 1)
    union all
    (select a from action a
        where a.owner_organisation = claim('organisation')
            and a.committee <> claim('area') and action_fits(a, $1::jsonb)
            and ($2::jsonb is null or (a.updated_at, a.id)
                < (($2::jsonb ->> 0)::timestamptz, ($2::jsonb ->> 1)::uuid))
        order by a.updated_at desc, a.id desc limit $3::bigint + 1)
    union all
    (select g.a from (select a from action a where a.case_id = any ((select granted_cases())::uuid[]) offset 0) g
        where (g.a).committee <> claim('area')
            and (g.a).owner_organisation <> claim('organisation') and action_fits(g.a, $1::jsonb)
            and ($2::jsonb is null or ((g.a).updated_at, (g.a).id)
                < (($2::jsonb ->> 0)::timestamptz, ($2::jsonb ->> 1)::uuid)))
), page as (
    select a, row_number() over (order by (a).updated_at desc, (a).id desc) as place
    from seen
    order by (a).updated_at desc, (a).id desc
    limit $3::bigint + 1
)
select coalesce(json_agg(action_document(a) order by place) filter (where place <= $3::bigint), '[]') as items,
    (json_agg(json_build_array((a).updated_at, (a).id)) filter (where place = $3::bigint
        and exists (select from page where place > $3::bigint))) -> 0 as next
from page;

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
