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
