-- Triggers of any table: blocking older programs, deleting stored responses, counting versions.

-- Refuses to record a schema file of an older program, which would put its own functions and policies under newer
-- tables. Programs from before this rule do not check the version; they record their files in the same transaction, so
-- the refusal undoes all of it.
create or replace function schema_guard() returns trigger
language plpgsql set search_path = register, pg_temp as $$
declare
    present schema_version;
begin
    select * into present from schema_version v order by v.number desc limit 1;
    if present.version is distinct from current_setting('register.migrating', true) then
        raise exception 'the schema is of version %, migrated by learning-reviews %: an older program must not change it',
            present.version, present.program using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;
create trigger only_by_the_present_version before insert or update on schema_file
    for each row execute function schema_guard();

-- Deletes stored responses about a row that is deleted, so that erasure leaves no copy. Runs as the owner, as erasure
-- does.
create or replace function forget_answers() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    delete from idempotency_key k where k.subject = old.id;
    return null;
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array['review_case', 'referral', 'action', 'information_request', 'notice', 'case_transfer']
    loop
        execute format('create trigger forget_answers after delete on %I
            for each row execute function forget_answers()', name);
    end loop;
end
$$;

-- Increases the version of a row on every update, whichever function makes it, and sets the time of the change.
create or replace function count_version() returns trigger language plpgsql as $$
begin
    new.version := old.version + 1;
    new.updated_at := now();
    return new;
end
$$;

-- Gives a table the trigger that counts the version of each row.
create or replace function count_versions_of(table_name text) returns void language plpgsql as $$
begin
    execute format('create trigger count_version before update on %I
        for each row execute function count_version()', table_name);
end
$$;
