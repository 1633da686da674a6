-- Engagement of families and practitioners.

-- name: list_family_engagements
select (select coalesce(json_agg(family_engagement_document(e) order by e.id), '[]')
        from family_engagement e where e.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: add_family_engagement
select * from family_engagement_add($1::uuid, $2::jsonb);

-- name: get_family_engagement
select version, family_engagement_document(e) as body from family_engagement e
where case_id = $1::uuid and id = $2::uuid;

-- name: change_family_engagement
select * from family_engagement_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);

-- name: list_practitioner_engagements
select (select coalesce(json_agg(practitioner_engagement_document(e) order by e.id), '[]')
        from practitioner_engagement e where e.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: add_practitioner_engagement
select * from practitioner_engagement_add($1::uuid, $2::jsonb);

-- name: get_practitioner_engagement
select version, practitioner_engagement_document(e) as body from practitioner_engagement e
where case_id = $1::uuid and id = $2::uuid;

-- name: change_practitioner_engagement
select * from practitioner_engagement_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);
