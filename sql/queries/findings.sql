-- Findings and strategies.

-- name: list_findings
select (select coalesce(json_agg(finding_document(f) order by f.id), '[]')
        from finding f where f.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: add_finding
select * from finding_add($1::uuid, $2::jsonb);

-- name: get_finding
select version, finding_document(f) as body from finding f where case_id = $1::uuid and id = $2::uuid;

-- name: change_finding
select * from finding_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);

-- name: list_strategies
select (select coalesce(json_agg(strategy_document(s) order by s.id), '[]')
        from strategy s where s.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: add_strategy
select * from strategy_add($1::uuid, $2::jsonb);

-- name: get_strategy
select version, strategy_document(s) as body from strategy s where case_id = $1::uuid and id = $2::uuid;

-- name: change_strategy
select * from strategy_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);
