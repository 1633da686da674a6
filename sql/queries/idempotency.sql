-- The first answer to a POST with an Idempotency-Key, and its replay.

-- name: idempotency_find
select request_hash, status, version, location, body from idempotency_known($1);

-- name: idempotency_store
-- $7: path of the request.
insert into idempotency_key (organisation, client, key, request_hash, status, version, location, body, collection,
    subject, seen)
select claim('organisation'), claim('client'), $1, $2, $3::integer, $4::bigint, $5, $6, a.collection, a.subject,
    is_seen(a.collection, a.subject)
from answer_subject($5, $7) a;

-- name: idempotency_expire
-- A key counts until it is deleted here: at most $1 at a time; returns how many.
with expired as (
    delete from idempotency_key where ctid = any (array(
        select ctid from idempotency_key where created_at < now() - interval '7 days' limit $1::integer))
    returning 1
)
select count(*) as number from expired;
