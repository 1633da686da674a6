-- Retention: its rules, erasures, and the facts that remain of erased cases.

-- name: list_retention_rules
select coalesce(json_agg(retention_rule_document(r) order by r.committee nulls first, r.valid_from, r.id), '[]') as items
from retention_rule r
where r.committee is null or r.committee = claim('area');

-- name: get_retention_rule
select version, retention_rule_document(r) as body from retention_rule r where id = $1::uuid;

-- name: add_retention_rule
select * from retention_rule_set($1::jsonb);

-- name: withdraw_retention_rule
select * from retention_rule_withdraw($1::uuid, $2::bigint);

-- name: announce_case_erasure
select * from case_erasure_announce($1::uuid, $2::bigint, $3::jsonb);

-- name: announce_referral_erasure
select * from referral_erasure_announce($1::uuid, $2::bigint, $3::jsonb);

-- name: list_erasures unprepared
with page as (
    select e, row_number() over (order by e.created_at desc, e.id desc) as n
    from erasure e
    where e.committee = claim('area') and ($1::jsonb ->> 'status' is null or e.status = $1::jsonb ->> 'status')
        and ($2::jsonb is null or (e.created_at, e.id) < (($2::jsonb ->> 0)::timestamptz, ($2::jsonb ->> 1)::uuid))
    order by e.created_at desc, e.id desc
    limit $3::bigint + 1
)
select coalesce(json_agg(erasure_document(e) order by n) filter (where n <= $3::bigint), '[]') as items,
    (json_agg(json_build_array((e).created_at, (e).id)) filter (where n = $3::bigint
        and exists (select from page where n > $3::bigint))) -> 0 as next
from page;

-- name: get_erasure
select version, erasure_document(e) as body from erasure e where id = $1::uuid;

-- name: stop_erasure
select * from erasure_stop($1::uuid, $2::bigint);

-- name: anonymise_case
select * from case_anonymise($1::uuid, $2::bigint, $3::jsonb);

-- name: anonymise_referral
select * from referral_anonymise($1::uuid, $2::bigint, $3::jsonb);

-- name: list_anonymous_reviews unprepared
with page as (
    select a, row_number() over (order by a.id) as n
    from anonymous_review a
    where $2::jsonb is null or a.id > ($2::jsonb ->> 0)::uuid
    order by a.id
    limit $3::bigint + 1
)
select coalesce(json_agg(anonymous_document(a) order by n) filter (where n <= $3::bigint), '[]') as items,
    (json_agg(json_build_array((a).id)) filter (where n = $3::bigint
        and exists (select from page where n > $3::bigint))) -> 0 as next
from page
where $1::jsonb is not null;

-- name: get_anonymous_review
select 1 as version, anonymous_document(a) as body from anonymous_review a where id = $1::uuid;
