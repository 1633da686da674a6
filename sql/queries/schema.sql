-- What the migrations and the start-up checks ask.

-- name: schema_lock unprepared
select pg_advisory_lock(7262534001);

-- name: schema_prepare unprepared
create table if not exists register.schema_file (
    path text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);

-- name: schema_grant unprepared
grant select on register.schema_file to register_service;

-- name: schema_own unprepared
set role register_owner;

-- name: schema_path unprepared
set search_path = register;

-- name: schema_patience unprepared
-- Half of what requests wait for a lock: while a file waits for a table, every request on it waits behind the file.
set lock_timeout = '500ms';

-- name: schema_gate unprepared
-- Every request's transaction reads this table first: who has it alone has waited for all of them and keeps new ones
-- outside, so that what locks many tables one by one can neither be starved nor meet a request in a deadlock.
lock table register.organisation in access exclusive mode;

-- name: schema_find unprepared
select checksum from register.schema_file where path = $1;

-- name: schema_record unprepared
insert into register.schema_file (path, checksum) values ($1, $2)
on conflict (path) do update set checksum = excluded.checksum, applied_at = now();

-- name: role_facts unprepared
-- What would let the role look past row-level security.
select r.rolsuper as super, r.rolbypassrls as bypasses,
    exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'register' and c.relowner = r.oid) as owns
from pg_roles r
where r.rolname = current_user;

-- name: durability_off unprepared
-- The settings without which a crash of the machine loses what was confirmed.
select name
from pg_settings
where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'
order by name;
