-- Access to single cases, transfers, the timeline.

-- name: list_access
select (select coalesce(json_agg(access_document(a) order by a.id), '[]')
        from case_access a where a.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: grant_access
select * from access_grant($1::uuid, $2::jsonb);

-- name: get_access
select version, access_document(a) as body from case_access a where case_id = $1::uuid and id = $2::uuid;

-- name: change_access
select * from access_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);

-- name: propose_transfer
select * from transfer_propose($1::uuid, $2::jsonb);

-- name: list_transfers page
-- row: case_transfer t: transfer_document(t)
-- sort -created_at: t.created_at desc, t.id desc
-- part to_committee: t.to_committee = claim('area') and $direction is distinct from 'out'
-- part from_committee: t.from_committee = claim('area') and $direction is distinct from 'in'
-- filter status: t.status = any ($[])

-- name: get_transfer
select version, transfer_document(t) as body from case_transfer t where id = $1::uuid;

-- name: accept_transfer
select * from transfer_accept($1::uuid, $2::bigint, $3::jsonb);

-- name: refuse_transfer
select * from transfer_end($1::uuid, $2::bigint, $3::jsonb, 'refused');

-- name: withdraw_transfer
select * from transfer_end($1::uuid, $2::bigint, $3::jsonb, 'withdrawn');

-- name: transfer_referral
select * from referral_transfer($1::uuid, $2::bigint, $3::jsonb);

-- name: list_timeline page
-- of: review_case c: c.id = $id::uuid
-- row: change h: timeline_document(h)
-- sort id: h.id
-- part case_id: h.case_id = $id::uuid
-- filter subject: h.subject = any ($[])
-- filter kind: h.kind = any ($[])
