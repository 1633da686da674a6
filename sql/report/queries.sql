-- The report, the decisions of the chief officers, publication and dissemination, and the end of a case.

-- name: get_report
select version, report_document(p) as body from report p where case_id = $1::uuid;

-- name: put_report
select * from report_put($1::uuid, $2::boolean, $3::bigint, $4::jsonb);

-- name: list_ratifications
select (select coalesce(json_agg(ratification_document(r) order by r.id), '[]')
        from ratification r where r.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: ratify_report
select * from ratification_add($1::uuid, $2::jsonb);

-- name: consider_plan
select * from plan_consider($1::uuid, $2::jsonb);

-- name: get_publication
select version, publication_document(p) as body from publication p where case_id = $1::uuid;

-- name: put_publication
select * from publication_put($1::uuid, $2::boolean, $3::bigint, $4::jsonb);

-- name: check_anonymisation
select * from anonymisation_check($1::uuid, $2::jsonb);

-- name: list_disseminations
select (select coalesce(json_agg(dissemination_document(d) order by d.id), '[]')
        from dissemination d where d.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: add_dissemination
select * from dissemination_add($1::uuid, $2::jsonb);

-- name: get_evaluation
select version, evaluation_document(e) as body from evaluation e where case_id = $1::uuid;

-- name: put_evaluation
select * from evaluation_put($1::uuid, $2::boolean, $3::bigint, $4::jsonb);

-- name: get_discontinuation
select version, discontinuation_document(d) as body from discontinuation d where case_id = $1::uuid;

-- name: put_discontinuation
select * from discontinuation_put($1::uuid, $2::boolean, $3::bigint, $4::jsonb);
