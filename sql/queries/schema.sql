-- The statements of the migrations and the start-up checks.

-- name: schema_lock unprepared
select pg_advisory_lock(7262534001);

-- name: schema_prepare unprepared
create table if not exists register.schema_file (
    path text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);
-- Each version that the database was migrated to; the last row is the present one.
create table if not exists register.schema_version (
    number bigint generated always as identity primary key,
    version text not null,
    program text not null,
    begun_at timestamptz not null default now()
);
-- The older versions whose programs may serve the present one (sql/supported_versions.txt of the program that migrated).
create table if not exists register.schema_supported (version text primary key);

-- name: schema_grant unprepared
grant select on register.schema_file, register.schema_version, register.schema_supported to register_service;

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

-- name: schema_standing unprepared
-- What the database says to a program of the version $1, release $2 and migrations $3. It is newer than the program when
-- it has a migration that the program lacks, was migrated by a later release, or had the program's version before.
select coalesce(n.version, '') as version, coalesce(n.program, '') as program,
    coalesce(to_char(n.begun_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), '') as since,
    n.version is distinct from $1::text and (
        exists (select from register.schema_file f
            where f.path like 'migrations/%' and f.path <> all ($3::text[]))
        or coalesce(string_to_array(n.program, '.')::int[] > string_to_array($2::text, '.')::int[], false)
        or n.program = $2 and exists (select from register.schema_version v where v.version = $1)) as newer,
    exists (select from register.schema_supported s where s.version = $1) as supported
from (values (1)) one
left join lateral (select * from register.schema_version v order by v.number desc limit 1) n on true;

-- name: schema_begin unprepared
-- From here on the database is of the version $1: an older program is refused, also while the files are being applied.
with begun as (
    insert into schema_version (version, program)
    select $1::text, $2::text
    where not exists (select from (select * from schema_version v order by v.number desc limit 1) n
        where n.version = $1 and n.program = $2)
), gone as (
    delete from schema_supported s where s.version <> all ($3::text[])
), listed as (
    insert into schema_supported (version) select unnest($3::text[]) on conflict do nothing
)
select set_config('register.migrating', $1, false);

-- name: schema_files unprepared
select path, checksum from register.schema_file order by path;

-- name: schema_reset unprepared
-- Removes policies, triggers, and the functions that this transaction has not made itself.
-- Objects of extensions stay, and so do functions that something outside the code uses: schema_seal refuses those.
do $$
declare
    code constant oid := 'register'::regnamespace;
    gone boolean := true;
    x record;
begin
    for x in select p.polname, c.relname from pg_policy p join pg_class c on c.oid = p.polrelid
            where c.relnamespace = code loop
        execute format('drop policy %I on register.%I', x.polname, x.relname);
    end loop;
    for x in select t.tgname, c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid
            join pg_proc p on p.oid = t.tgfoid
            where c.relnamespace = code and p.pronamespace = code and not t.tgisinternal loop
        execute format('drop trigger %I on register.%I', x.tgname, x.relname);
    end loop;
    while gone loop -- an aggregate goes before the functions that it uses
        gone := false;
        for x in select p.oid::regprocedure as name from pg_proc p
                where p.pronamespace = code and p.xmin <> pg_current_xact_id()::xid and not exists (select from pg_depend d
                    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
                        or d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid and d.deptype in ('n', 'a')) loop
            execute 'drop routine ' || x.name;
            gone := true;
        end loop;
    end loop;
end
$$;

-- name: schema_seal unprepared
-- No function is left but those that this transaction has made; the service may execute each, PUBLIC none.
do $$
declare
    left_over text := (select string_agg(p.oid::regprocedure::text, ', ' order by p.oid::regprocedure::text) from pg_proc p
        where p.pronamespace = 'register'::regnamespace and p.xmin <> pg_current_xact_id()::xid
            and not exists (select from pg_depend d
                where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'));
    x record;
begin
    if left_over is not null then
        raise exception 'not part of this program, but used by something outside it: %; drop that first', left_over;
    end if;
    -- Requests wait meanwhile: only what differs is set.
    for x in select p.oid::regprocedure as name from pg_proc p
            where p.pronamespace = 'register'::regnamespace and p.xmin = pg_current_xact_id()::xid
                and (select array_agg(a.grantee::regrole::text order by a.grantee::regrole::text)
                    from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a)
                    is distinct from array['register_owner', 'register_service'] loop
        execute format('revoke all on routine %s from public, register_service', x.name);
        execute format('grant execute on routine %s to register_service', x.name);
    end loop;
end
$$;

-- name: schema_record unprepared
insert into schema_file (path, checksum) values ($1, $2)
on conflict (path) do update set checksum = excluded.checksum, applied_at = now();

-- name: schema_forget unprepared
-- Files that the program has no longer: if a later one has them again, they are applied again.
delete from schema_file where path not like 'migrations/%' and path <> all ($1::text[]);

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

-- name: logging_exposes unprepared
-- The settings by which PostgreSQL's log would hold statements, their parameters or values of rows, as they are for
-- this role, and what each should be. Statements that are logged do no harm while their parameters are not
-- (PostgreSQL 15, 20.8 Error Reporting and Logging).
with logged as (
    select string_agg(name || ' = ' || setting, ', ' order by name) as settings
    from pg_settings
    where name = 'log_statement' and setting in ('mod', 'all')
        or name in ('log_min_duration_statement', 'log_min_duration_sample') and setting <> '-1'
        or name = 'log_transaction_sample_rate' and setting <> '0'
)
select s.name, s.setting, rule.safe[1] as safe,
    format('alter role %I set %s = %L', current_user, s.name, rule.safe[1]) as repair,
    case when s.name = 'log_parameter_max_length' then logged.settings end as because
from logged
cross join (values
    ('log_error_verbosity', array['terse']), -- the detail of a violated constraint quotes the row
    ('log_min_error_statement', array['panic', 'fatal']),
    ('log_statement', array['none', 'ddl']),
    ('log_parameter_max_length', array['0']),
    ('log_parameter_max_length_on_error', array['0']),
    ('debug_print_parse', array['off']),
    ('debug_print_rewritten', array['off']),
    ('debug_print_plan', array['off']), -- values stand in plans as constants
    ('auto_explain.log_min_duration', array['-1']),
    ('pgaudit.log_parameter', array['off'])) as rule(name, safe)
join pg_settings s on s.name = rule.name and s.setting <> all (rule.safe)
where s.name <> 'log_parameter_max_length' or logged.settings is not null
order by s.name;
