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

-- name: list_decisions page
-- row: case_decision d: decision_summary(d)
-- sort updated_at: d.updated_at, d.id
-- part all: claim('kind') = 'inspectorate' and d.current
-- part committee: d.committee = claim('area') and claim('kind') <> 'inspectorate' and d.current
-- few: d.case_id = any ((select readable_cases())::uuid[]) and d.committee <> claim('area')
--     and claim('kind') <> 'inspectorate' and d.current
-- filter committee: d.committee = any ($[])
--   index (committee, updated_at, id) where current
-- filter outcome: d.outcome = any ($[])
--   index (outcome, updated_at, id) where current
-- filter recorded_from: d.updated_at >= ($::date)::timestamp at time zone 'Europe/London'
--   range updated_at
-- filter decided_from: d.decided_on >= $::date
-- filter decided_to: d.decided_on < $::date

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

-- name: list_information_requests page
-- row: information_request r: information_document(r)
-- sort due_on: r.due_on, r.id
-- part committee: r.committee = claim('area')
-- part organisation: r.organisation = claim('organisation') and r.committee <> claim('area')
-- few: r.case_id = any ((select granted_cases())::uuid[]) and r.committee <> claim('area')
--     and r.organisation <> claim('organisation')
-- filter overdue=true: r.due_on < today() and r.status = 'open'
--   index (committee, status, due_on, id)
--   index (organisation, status, due_on, id)
-- filter overdue=false: r.due_on >= today() or r.status <> 'open'
-- filter status: r.status = any ($[])
--   index (committee, status, due_on, id)
--   index (organisation, status, due_on, id)

-- name: get_information_request
select version, information_document(r) as body from information_request r where id = $1::uuid;

-- name: answer_information_request
select * from information_answer($1::uuid, $2::jsonb);
