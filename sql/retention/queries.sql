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

-- name: list_erasures page
-- row: erasure e: erasure_document(e)
-- sort -created_at: e.created_at desc, e.id desc
-- part committee: e.committee = claim('area')
-- filter status: e.status = any ($[])

-- name: get_erasure
select version, erasure_document(e) as body from erasure e where id = $1::uuid;

-- name: stop_erasure
select * from erasure_stop($1::uuid, $2::bigint);

-- name: anonymise_case
select * from case_anonymise($1::uuid, $2::bigint, $3::jsonb);

-- name: anonymise_referral
select * from referral_anonymise($1::uuid, $2::bigint, $3::jsonb);

-- name: list_anonymous_reviews page
-- row: anonymous_review a: anonymous_document(a)
-- sort id: a.id
-- part committee: a.committee = claim('area')

-- name: get_anonymous_review
select 1 as version, anonymous_document(a) as body from anonymous_review a where id = $1::uuid;
