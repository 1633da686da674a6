-- The first response to a POST with an Idempotency-Key, and its repetition.

-- name: idempotency_find
select request_hash, status, version, location, body from idempotency_known($1);

-- name: idempotency_store
-- $7: path of the request.
insert into idempotency_key (organisation, client, key, request_hash, status, version, location, body, collection,
    subject, seen)
select claim('organisation'), claim('client'), $1, $2, $3::integer, $4::bigint, $5, $6, a.collection, a.subject,
    is_visible(a.collection, a.subject)
from answer_subject($5, $7) a;

-- name: idempotency_expire
-- A key is valid until it is deleted here: at most $1 at a time; returns the number.
with expired as (
    delete from idempotency_key where ctid = any (array(
        select ctid from idempotency_key where created_at < now() - interval '7 days' limit $1::integer))
    returning 1
)
select count(*) as number from expired;

-- Fingerprints of the keys of pseudonyms and webhooks.

-- name: key_find unprepared
select encode(k.salt, 'hex') as salt, k.iterations, encode(k.hash, 'hex') as hash,
    to_char(k.recorded_at at time zone 'UTC', 'YYYY-MM-DD') as since
from key_fingerprint_find($1) k;

-- name: key_record unprepared
select encode(k.salt, 'hex') as salt, k.iterations, encode(k.hash, 'hex') as hash,
    to_char(k.recorded_at at time zone 'UTC', 'YYYY-MM-DD') as since
from key_fingerprint_record($1, decode($2, 'hex'), $3, decode($4, 'hex')) k;

-- name: key_replace unprepared
select key_fingerprint_replace($1, decode($2, 'hex'), $3, decode($4, 'hex'));

-- Changes that an operator makes by commands (sql/core/administration.sql).

-- name: administer_add_organisation unprepared
select administration_add_organisation($1, $2, $3);

-- name: administer_rename_organisation unprepared
select administration_rename_organisation($1, $2);

-- name: administer_retire_organisation unprepared
select administration_retire_organisation($1);

-- name: administer_map_client unprepared
select administration_map_client($1, $2);

-- name: administer_unmap_client unprepared
select administration_unmap_client($1);

-- name: administer_block_client unprepared
select administration_block_client($1, $2, $3::timestamptz);

-- name: administer_unblock_client unprepared
select administration_unblock_client($1, $2);

-- name: administer_list_clients unprepared
select administration_list_clients();

-- name: administer_block_token unprepared
select administration_block_token($1, $2, $3::timestamptz);

-- name: key_uses unprepared
select (select count(distinct child_ref) from child) as children, (select count(*) from webhook) as webhooks;

-- The claims of a transaction, and the facts that a principal may read about itself.

-- name: claims
-- The organisation's kind and committee come from here, never from the token. A blocked client counts as unknown. Every
-- setting is set each time: settings left from before in the same transaction must not apply to an unknown
-- organisation.
select o.code is not null as known,
       set_config('register.organisation', coalesce(o.code, ''), true),
       set_config('register.collective', coalesce(o.collective, false)::text, true),
       set_config('register.kind', coalesce(o.kind, ''), true),
       set_config('register.committee', coalesce(o.committee, ''), true),
       set_config('register.area', coalesce(o.committee, o.area, ''), true),
       set_config('register.scopes', case when o.code is null then '' else $2 end, true),
       set_config('register.client', $3, true),
       set_config('register.token_id', coalesce($4, ''), true),
       set_config('register.granted', access.granted, true),
       set_config('register.liaison', access.liaison, true),
       set_config('register.offered', case when o.committee is null then '{}'
           else offered_to(o.committee) end, true)
from (values ($1::text)) asked (code)
left join organisation o on o.code = asked.code and not is_excluded(o.code, $3, $4)
cross join access_of($1, $3) access;

-- name: organisation_of
select organisation_of($1) as organisation;

-- Returns why the register admits no request of this organisation, client and token: 'unknown', 'blocked', or ''.
-- name: refusal_of
select case when o.code is null then 'unknown' when is_excluded(o.code, $2, $3) then 'blocked' else '' end as refusal
from (values ($1::text)) asked (code)
left join organisation o on o.code = asked.code;

-- name: get_principal
select json_build_object('code', code, 'name', name, 'kind', kind, 'committee', committee,
    'area', area) as body
from organisation
where code = claim('organisation');

-- Transactions of more than one round trip.

-- name: begin
begin;

-- name: commit
commit;

-- name: rollback
rollback;

-- Reads on a standby that are never older than their request (service/db/replica_router.c).

-- name: commit_position
-- Run on the primary: every commit that it has acknowledged lies below this position.
select pg_current_wal_flush_lsn() as position;

-- name: await_position
select await_position($1::pg_lsn);

-- Versions of the code.

-- name: hold_version unprepared
-- Each connection shares the lock of its version, so that `migrate` does not remove the functions that it calls.
select pg_advisory_lock_shared(726253402, hashtext(current_schema()));

-- name: newest_version
select is_newest_version() as newest;
