-- The statements of the migrations and the start-up checks.

-- name: schema_lock unprepared
select pg_advisory_lock(7262534001);

-- name: schema_prepare unprepared
create table if not exists register.schema_file (
    path text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);
-- Each version to which the database was migrated; the last row is the present one.
create table if not exists register.schema_version (
    number bigint generated always as identity primary key,
    version text not null,
    program text not null,
    begun_at timestamptz not null default now()
);
-- Each version of the code that the database has, in a schema of that name. Programs of that version may serve the
-- database.
create table if not exists register.code_version (
    number bigint generated always as identity primary key,
    name text not null unique,
    program text not null,
    made_at timestamptz not null default now()
);
drop table if exists register.schema_supported; -- made by programs before the code had versions

-- name: schema_grant unprepared
grant select on register.schema_file, register.schema_version, register.code_version to register_service;

-- name: schema_own unprepared
set role register_owner;

-- name: schema_path unprepared
set search_path = register;

-- name: schema_patience unprepared
-- Half of the time that requests wait for a lock: while a file waits for a table, every request for it waits behind the
-- file.
set lock_timeout = '500ms';

-- name: schema_gate unprepared
-- Every request's transaction reads this table first. A session that has locked it has waited for all requests and
-- blocks new ones, so that it can lock many tables one by one without starving or deadlocking with a request.
lock table register.organisation in access exclusive mode;

-- name: schema_standing unprepared
-- The state of the database for a program of version $1, release $2, migrations $3 and code $4. The database is newer
-- than the program if it has a migration since the baseline that the program lacks, if a later release migrated it, or
-- if it had the program's version before.
select coalesce(n.version, '') as version, coalesce(n.program, '') as program,
    coalesce(to_char(n.begun_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), '') as since,
    n.version is distinct from $1::text and (
        exists (select from register.schema_file f
            where f.path like 'migrations/%' and f.path > 'migrations/0200' and f.path <> all ($3::text[]))
        or coalesce(string_to_array(n.program, '.')::int[] > string_to_array($2::text, '.')::int[], false)
        or n.program = $2 and exists (select from register.schema_version v where v.version = $1)) as newer,
    exists (select from register.code_version c where c.name = $4) as has_code
from (values (1)) one
left join lateral (select * from register.schema_version v order by v.number desc limit 1) n on true;

-- name: schema_begin unprepared
-- From here on the database has the version $1: it refuses an older program, also while the files are being applied.
-- The statements below read the version of the code, $3, from the setting.
with begun as (
    insert into schema_version (version, program)
    select $1::text, $2::text
    where not exists (select from (select * from schema_version v order by v.number desc limit 1) n
        where n.version = $1 and n.program = $2)
)
select set_config('register.migrating', $1, false), set_config('register.code', $3, false);

-- name: schema_files unprepared
select path, checksum from register.schema_file order by path;

-- name: schema_reset unprepared
-- Removes policies, triggers, and the attached functions that this transaction has not created. Functions remain while
-- another version of the code is present, because it may call them. Objects of extensions remain, and so do functions
-- that something outside the register uses: schema_seal refuses those.
do $$
declare
    gone boolean := not exists (select from code_version c where c.name <> current_setting('register.code'));
    x record;
begin
    for x in select p.polname, c.relname from pg_policy p join pg_class c on c.oid = p.polrelid
            where c.relnamespace = 'register'::regnamespace loop
        execute format('drop policy %I on register.%I', x.polname, x.relname);
    end loop;
    for x in select t.tgname, c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid
            join pg_proc p on p.oid = t.tgfoid
            where c.relnamespace = 'register'::regnamespace and p.pronamespace = 'register'::regnamespace
                and not t.tgisinternal loop
        execute format('drop trigger %I on register.%I', x.tgname, x.relname);
    end loop;
    while gone loop -- an aggregate must be dropped before the functions that it uses
        gone := false;
        for x in select p.oid::regprocedure as name from pg_proc p
                where p.pronamespace = 'register'::regnamespace and p.xmin <> pg_current_xact_id()::xid
                    and not exists (select from pg_depend d
                        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
                            or d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid and d.deptype in ('n', 'a')) loop
            execute 'drop routine ' || x.name;
            gone := true;
        end loop;
    end loop;
end
$$;

-- name: schema_seal unprepared
-- Refuses functions that this transaction has not created, unless another version of the code may call them, and two
-- functions with one name.
do $$
declare
    left_over text := (select string_agg(p.oid::regprocedure::text, ', ' order by p.oid::regprocedure::text) from pg_proc p
        where p.pronamespace = 'register'::regnamespace and p.xmin <> pg_current_xact_id()::xid
            and not exists (select from pg_depend d
                where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
            and not exists (select from code_version c where c.name <> current_setting('register.code')));
    doubled text := (select string_agg(distinct p.proname, ', ') from pg_proc p
        where p.pronamespace = 'register'::regnamespace and p.xmin = pg_current_xact_id()::xid
            and exists (select from pg_proc o
                where o.pronamespace = p.pronamespace and o.proname = p.proname and o.oid <> p.oid));
begin
    if left_over is not null then
        raise exception 'not part of this program, but used by something outside it: %; drop that first', left_over;
    end if;
    if doubled is not null then
        raise exception 'another version of the code calls % with other parameters: give the new form a name of its own, '
            'or end the other version and remove it', doubled;
    end if;
end
$$;

-- name: schema_privileges unprepared
-- The service may execute each function that this transaction has created, PUBLIC none. Sets only privileges that
-- differ, because requests may wait meanwhile.
do $$
declare
    x record;
begin
    for x in select p.oid::regprocedure as name from pg_proc p
            where p.pronamespace::regnamespace::text in ('register', current_setting('register.code'))
                and p.xmin = pg_current_xact_id()::xid
                and (select array_agg(a.grantee::regrole::text order by a.grantee::regrole::text)
                    from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a)
                    is distinct from array['register_owner', 'register_service'] loop
        execute format('revoke all on routine %s from public, register_service', x.name);
        execute format('grant execute on routine %s to register_service', x.name);
    end loop;
end
$$;

-- name: code_schema unprepared
-- Creates the schema of this version and puts it first in the search path until the end of the transaction: functions
-- that run as the owner keep this path. Bodies are checked at the end (code_check), so that functions may call one
-- another in any order.
do $$
begin
    execute format('create schema %I', current_setting('register.code'));
    execute format('comment on schema %I is %L', current_setting('register.code'),
        'What one version of learning-reviews calls; made by migrate, never changed, removed when unused');
    execute format('grant usage on schema %I to register_service', current_setting('register.code'));
    perform set_config('search_path', current_setting('register.code') || ', register, pg_temp', true),
        set_config('check_function_bodies', 'off', true);
end
$$;

-- name: code_check unprepared
-- Checks the body of each function, as check_function_bodies would have done.
do $$
declare
    x record;
begin
    perform set_config('check_function_bodies', 'on', true);
    for x in select p.oid, l.lanvalidator::regproc as validator from pg_proc p join pg_language l on l.oid = p.prolang
            where p.pronamespace = current_setting('register.code')::regnamespace and p.prokind = 'f' loop
        execute format('select %s(%s)', x.validator, x.oid);
    end loop;
end
$$;

-- name: code_remove_others unprepared
-- Before a migration that takes away what other versions need: they are removed, and none may be in use.
do $$
declare
    x record;
begin
    for x in select c.name, c.program from code_version c where c.name <> current_setting('register.code') loop
        if not pg_try_advisory_xact_lock(726253402, hashtext(x.name)) then
            raise exception 'this migration takes away what % (learning-reviews %) needs: stop its programs first',
                x.name, x.program using errcode = 'object_in_use';
        end if;
        delete from code_version c where c.name = x.name;
        execute format('drop schema %I cascade', x.name);
    end loop;
end
$$;

-- name: code_path unprepared
-- Statements of rows may call functions of the program's own version.
select set_config('search_path', $1 || ', register', false);

-- name: code_record unprepared
insert into code_version (name, program) values ($1, $2);

-- name: code_remove_unused unprepared
-- Removes the versions that no program uses, except this one and the newest other one, so that an upgrade can be
-- reversed. Programs share this lock while they use a version.
do $$
declare
    x record;
begin
    for x in select c.name, row_number() over (order by c.number desc) as age from code_version c
            where c.name <> current_setting('register.code') loop
        if x.age > 1 and pg_try_advisory_xact_lock(726253402, hashtext(x.name)) then
            delete from code_version c where c.name = x.name;
            execute format('drop schema %I cascade', x.name);
        end if;
    end loop;
end
$$;

-- name: schema_record unprepared
insert into schema_file (path, checksum) values ($1, $2)
on conflict (path) do update set checksum = excluded.checksum, applied_at = now();

-- name: schema_forget_migrations unprepared
-- The baseline replaces them.
delete from schema_file where path like 'migrations/%';

-- name: schema_forget unprepared
-- Files that the program no longer has. If a later program has them again, they are applied again.
delete from schema_file where path not like 'migrations/%' and path <> all ($1::text[]);

-- name: role_facts unprepared
-- The properties that would let the role bypass row-level security.
select r.rolsuper as super, r.rolbypassrls as bypasses,
    exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'register' and c.relowner = r.oid) as owns
from pg_roles r
where r.rolname = current_user;

-- name: durability_off unprepared
-- The settings that lose confirmed transactions if the machine crashes.
select name
from pg_settings
where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'
order by name;

-- name: logging_exposes unprepared
-- The settings that would let PostgreSQL's log contain statements, their parameters or values of rows, as they are for
-- this role, and their safe values. Logged statements do no harm while their parameters are not logged (PostgreSQL 15,
-- 20.8 Error Reporting and Logging).
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
    ('debug_print_plan', array['off']), -- plans contain values as constants
    ('auto_explain.log_min_duration', array['-1']),
    ('pgaudit.log_parameter', array['off'])) as rule(name, safe)
join pg_settings s on s.name = rule.name and s.setting <> all (rule.safe)
where s.name <> 'log_parameter_max_length' or logged.settings is not null
order by s.name;
