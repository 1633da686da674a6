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
