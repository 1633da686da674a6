-- Versions of the code that are in use at the same time. Each program calls the code of its own version. Only the
-- newest one does the work that no request asks for, because it may count things that older code does not know.

-- Whether a program uses a version of the code: each of its connections holds the version's lock (hold_version).
create function is_version_in_use(p_name text) returns boolean language plpgsql stable as $$
begin
    return exists (select from pg_locks l
        where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid::bigint = 726253402
            and l.objid::bigint = hashtext(p_name)::bigint & 4294967295
            and l.database = (select d.oid from pg_database d where d.datname = current_database()));
end
$$;

-- Whether no program uses a version of the code that is newer than the caller's, which is first in its search path.
create function is_newest_version() returns boolean language plpgsql stable as $$
declare
    newer record;
begin
    for newer in select n.name from code_version n
            where n.number > (select o.number from code_version o where o.name = current_schema()) loop
        if is_version_in_use(newer.name) then
            return false;
        end if;
    end loop;
    return true;
end
$$;
