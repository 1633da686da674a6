-- The recommendation, the decision on a case, and the decisions of all committees.

-- name: get_recommendation
select version, recommendation_document(r) as body from recommendation r where case_id = $1::uuid;

-- name: put_recommendation
select * from recommendation_put($1::uuid, $2::boolean, $3::bigint, $4::jsonb);

-- name: get_decision
select d.version, decision_document(d) as body
from case_decision d join review_case c on c.id = d.case_id
where d.case_id = $1::uuid and d.current;

-- name: put_decision
select * from decision_put($1::uuid, $2::boolean, $3::bigint, $4::jsonb);

-- name: list_decisions unprepared
with page as (
    select d, row_number() over (order by d.updated_at, d.id) as n
    from case_decision d
    where d.current and decision_fits(d, $1::jsonb)
        and ($2::jsonb is null or (d.updated_at, d.id)
            > (($2::jsonb ->> 0)::timestamptz, ($2::jsonb ->> 1)::uuid))
    order by d.updated_at, d.id
    limit $3::bigint + 1
)
select coalesce(json_agg(decision_summary(d) order by n) filter (where n <= $3::bigint), '[]') as items,
    (json_agg(json_build_array((d).updated_at, (d).id)) filter (where n = $3::bigint
        and exists (select from page where n > $3::bigint))) -> 0 as next
from page;

-- Information requests, as the committee and as the organisations asked read them.

-- name: list_case_information_requests
select (select coalesce(json_agg(information_document(r) order by r.due_on, r.id), '[]')
        from information_request r where r.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: create_information_request
select * from information_ask($1::uuid, $2::jsonb);

-- name: get_case_information_request
select r.version, information_document(r) as body
from information_request r join review_case c on c.id = r.case_id
where r.case_id = $1::uuid and r.id = $2::uuid;

-- name: change_information_request
select * from information_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);

-- name: list_information_requests unprepared
-- Reads each part in the order of an index, which is impossible for the parts that row-level security joins by `or`.
-- Requests of cases opened to the caller are few and are found by case: `offset 0` keeps the planner from other indexes
-- there.
with seen as (
    (select r from information_request r
        where r.committee = claim('area') and information_fits(r, $1::jsonb)
            and ($2::jsonb is null or (r.due_on, r.id) > (($2::jsonb ->> 0)::date, ($2::jsonb ->> 1)::uuid))
        order by r.due_on, r.id limit $3::bigint + 1)
    union all
    (select r from information_request r
        where r.organisation = claim('organisation')
            and r.committee <> claim('area') and information_fits(r, $1::jsonb)
            and ($2::jsonb is null or (r.due_on, r.id) > (($2::jsonb ->> 0)::date, ($2::jsonb ->> 1)::uuid))
        order by r.due_on, r.id limit $3::bigint + 1)
    union all
    (select g.r from (select r from information_request r where r.case_id = any ((select granted_cases())::uuid[]) offset 0) g
        where (g.r).committee <> claim('area')
            and (g.r).organisation <> claim('organisation') and information_fits(g.r, $1::jsonb)
            and ($2::jsonb is null or ((g.r).due_on, (g.r).id) > (($2::jsonb ->> 0)::date, ($2::jsonb ->> 1)::uuid)))
), page as (
    select r, row_number() over (order by (r).due_on, (r).id) as place
    from seen
    order by (r).due_on, (r).id
    limit $3::bigint + 1
)
select coalesce(json_agg(information_document(r) order by place) filter (where place <= $3::bigint), '[]') as items,
    (json_agg(json_build_array((r).due_on, (r).id)) filter (where place = $3::bigint
        and exists (select from page where place > $3::bigint))) -> 0 as next
from page;

-- name: get_information_request
select version, information_document(r) as body from information_request r where id = $1::uuid;

-- name: answer_information_request
select * from information_answer($1::uuid, $2::jsonb);
