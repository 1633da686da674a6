-- Mandate, team and family liaison.

-- name: get_mandate
select version, mandate_document(m) as body from mandate m where case_id = $1::uuid;

-- name: put_mandate
select * from mandate_put($1::uuid, $2::boolean, $3::bigint, $4::jsonb);

-- name: list_team_members
select (select coalesce(json_agg(team_member_document(m) order by m.id), '[]')
        from team_member m where m.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: add_team_member
select * from team_member_add($1::uuid, $2::jsonb);

-- name: get_team_member
select version, team_member_document(m) as body from team_member m
where case_id = $1::uuid and id = $2::uuid;

-- name: change_team_member
select * from team_member_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);

-- name: get_family_liaison
select version, family_liaison_document(f) as body from family_liaison f where case_id = $1::uuid;

-- name: put_family_liaison
select * from family_liaison_put($1::uuid, $2::boolean, $3::bigint, $4::jsonb);

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
