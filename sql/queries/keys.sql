-- Fingerprints of the keys of pseudonyms and webhooks.

-- name: key_find unprepared
select encode(k.salt, 'hex') as salt, k.iterations, encode(k.hash, 'hex') as hash,
    to_char(k.recorded_at at time zone 'UTC', 'YYYY-MM-DD') as since
from register.key_fingerprint_find($1) k;

-- name: key_record unprepared
select encode(k.salt, 'hex') as salt, k.iterations, encode(k.hash, 'hex') as hash,
    to_char(k.recorded_at at time zone 'UTC', 'YYYY-MM-DD') as since
from register.key_fingerprint_record($1, decode($2, 'hex'), $3, decode($4, 'hex')) k;

-- name: key_replace unprepared
select key_fingerprint_replace($1, decode($2, 'hex'), $3, decode($4, 'hex'));

-- name: key_uses unprepared
select (select count(distinct child_ref) from child) as children, (select count(*) from webhook) as webhooks;
