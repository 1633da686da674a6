-- Which program may change the schema.

-- An older program would put its own functions and policies under newer tables. Programs from before this rule do not
-- ask; they record what they apply in the same transaction, and the refusal here undoes all of it.
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
create or replace trigger only_by_the_present_version before insert or update on schema_file
    for each row execute function schema_guard();
