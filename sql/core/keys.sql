-- Fingerprints of the keys that the register has used (service/db/fingerprint.c makes and compares them).

-- Returns the recorded fingerprint of a key, or no row. Runs as the owner: the service may read and add fingerprints
-- only through these functions, and change none.
create function key_fingerprint_find(p_key text) returns setof key_fingerprint
language plpgsql stable security definer set search_path from current as $$
begin
    return query select k.* from key_fingerprint k where k.key = p_key;
end
$$;

-- Records the first fingerprint of a key and returns the recorded one, which may be that of another instance that
-- started at the same time. Runs as the owner: the service cannot write the table itself.
create function key_fingerprint_record(p_key text, p_salt bytea, p_iterations integer, p_hash bytea)
returns setof key_fingerprint
language plpgsql security definer set search_path from current as $$
begin
    insert into key_fingerprint (key, salt, iterations, hash) values (p_key, p_salt, p_iterations, p_hash)
        on conflict (key) do nothing;
    return query select k.* from key_fingerprint k where k.key = p_key;
end
$$;

-- Replaces the fingerprint of a key and records this in the audit trail. For the owner only. Raises an error while the
-- service is connected: a running instance would continue with the key that it read.
create function key_fingerprint_replace(p_key text, p_salt bytea, p_iterations integer, p_hash bytea)
returns void language plpgsql as $$
begin
    lock table key_fingerprint in access exclusive mode;
    if exists (select from pg_stat_activity a where a.datname = current_database() and a.usename = 'register_service') then
        raise exception 'the service is connected to the database' using errcode = 'object_in_use';
    end if;
    insert into key_fingerprint as k (key, salt, iterations, hash) values (p_key, p_salt, p_iterations, p_hash)
        on conflict (key) do update set salt = excluded.salt, iterations = excluded.iterations, hash = excluded.hash,
            recorded_at = now(), replaced = k.replaced + 1;
    insert into audit_entry (organisation, client, operation, kind, request, collection, ids, cases, committees, parts)
        values ('register', 'register', 'replaceKey', 'change', p_key || ':' || left(encode(p_hash, 'hex'), 16), 'keys',
            '{}', '{}', '{}', '{}');
end
$$;
revoke execute on function key_fingerprint_replace from register_service;
