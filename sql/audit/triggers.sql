-- The audit trail only grows: no entry is changed, and none is deleted early.

-- Returns how long entries are kept.
create or replace function audit_kept() returns interval language sql immutable as $$ select interval '7 years' $$;

-- Refuses every change and deletion by any role, including the owner, with an error. Allows only the deletion of
-- entries that a checkpoint covers, which are sealed and were kept long enough.
create or replace function audit_refuse() returns trigger
language plpgsql set search_path = register, pg_temp as $$
begin
    if tg_op = 'DELETE' and old.number <= (select max(c.number) from audit_checkpoint c) then
        return old;
    end if;
    raise exception 'the audit trail is only ever added to' using errcode = 'insufficient_privilege';
end
$$;

-- Refuses a checkpoint with an error unless it is at a sealed entry, and every entry up to it has been kept long
-- enough.
create or replace function audit_check_checkpoint() returns trigger
language plpgsql set search_path = register, pg_temp as $$
begin
    if not exists (select from audit_seal s
            where (s.number, s.position, s.hash) = (new.number, new.position, new.hash))
        or exists (select from audit_entry e where e.number <= new.number and e.at > now() - audit_kept()) then
        raise exception 'the audit trail is kept for %', audit_kept() using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array['audit_entry', 'audit_seal', 'audit_checkpoint'] loop
        execute format('create trigger only_added before update or delete on %I
            for each row execute function audit_refuse()', name);
        execute format('create trigger never_emptied before truncate on %I
            for each statement execute function audit_refuse()', name);
    end loop;
    create trigger old_enough before insert on audit_checkpoint
        for each row execute function audit_check_checkpoint();
end
$$;
