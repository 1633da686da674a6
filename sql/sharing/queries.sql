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

-- name: list_transfers unprepared
with page as (
    select t, row_number() over (order by t.created_at desc, t.id desc) as n
    from case_transfer t
    where transfer_fits(t, $1::jsonb)
        and ($2::jsonb is null or (t.created_at, t.id)
            < (($2::jsonb ->> 0)::timestamptz, ($2::jsonb ->> 1)::uuid))
    order by t.created_at desc, t.id desc
    limit $3::bigint + 1
)
select coalesce(json_agg(transfer_document(t) order by n) filter (where n <= $3::bigint), '[]') as items,
    (json_agg(json_build_array((t).created_at, (t).id)) filter (where n = $3::bigint
        and exists (select from page where n > $3::bigint))) -> 0 as next
from page;

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

-- name: list_timeline
-- The oldest entry is first; a case that the caller may not see gives no row.
with page as (
    select h, row_number() over (order by h.id) as n
    from change h
    where h.case_id = ($1::jsonb ->> 'id')::uuid
        and ($1::jsonb ->> 'subject' is null or h.subject = $1::jsonb ->> 'subject')
        and ($1::jsonb ->> 'kind' is null or h.kind = $1::jsonb ->> 'kind')
        and ($2::jsonb is null or h.id > ($2::jsonb ->> 0)::bigint)
    order by h.id
    limit $3::bigint + 1
)
select coalesce(json_agg(timeline_document(h) order by n) filter (where n <= $3::bigint), '[]') as items,
    (json_agg(json_build_array((h).id)) filter (where n = $3::bigint
        and exists (select from page where n > $3::bigint))) -> 0 as next
from review_case c left join page on true
where c.id = ($1::jsonb ->> 'id')::uuid
group by c.id;
