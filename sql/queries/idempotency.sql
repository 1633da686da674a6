-- The first answer to a POST with an Idempotency-Key, and its replay.

-- name: idempotency_find
select request_hash, status, version, location, body
from idempotency_key
where organisation = claim('organisation') and client = claim('client') and key = $1
    and created_at > now() - interval '7 days';

-- name: idempotency_store
insert into idempotency_key (organisation, client, key, request_hash, status, version, location, body)
values (claim('organisation'), claim('client'), $1, $2, $3::integer, $4::bigint, $5, $6);

-- name: idempotency_expire
delete from idempotency_key where created_at < now() - interval '7 days';
