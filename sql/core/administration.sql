-- Changes that an operator makes by commands (service/cli_administer.c): organisations, the organisation of a client, and
-- blocks. Each function is for the owner only, adds an entry to the audit trail and returns a sentence that says what
-- it did. A refusal raises an exception with such a sentence (SQLSTATE P0001).

-- Adds the entry of a command to the audit trail.
create function administration_note(p_operation text, p_collection text, p_subject text) returns void
language plpgsql as $$
begin
    insert into audit_entry (organisation, client, operation, kind, request, collection, ids, cases, committees, parts)
        values ('register', 'register', p_operation, 'change', left(p_subject, 128), p_collection, '{}', '{}', '{}',
            '{}');
end
$$;

-- Raises an exception unless the organisation exists.
create function administration_refuse_unknown(p_organisation text) returns void language plpgsql stable as $$
begin
    if not exists (select from organisation o where o.code = p_organisation) then
        raise exception 'There is no organisation %: `learning-reviews organisation add` adds one.', p_organisation;
    end if;
end
$$;

-- Raises an exception unless the text can be the identifier of a client.
create function administration_refuse_client(p_client text) returns void language plpgsql immutable as $$
begin
    if p_client !~ '^[A-Za-z0-9._~:/@-]{1,64}$' then
        raise exception 'A client is 1 to 64 of `A-Z a-z 0-9 . _ ~ : / @ -`.';
    end if;
end
$$;

-- Raises an exception for a block that would end before it begins.
create function administration_refuse_past(p_until timestamptz) returns void language plpgsql stable as $$
begin
    if p_until <= now() then
        raise exception 'The block must end in the future, not at %.', rendered(p_until);
    end if;
end
$$;

-- Ends the confirmation of a client's webhooks: they send nothing until the client confirms them with a token that is
-- accepted.
create function administration_suspend_webhooks(p_organisation text, p_client text) returns void
language plpgsql as $$
begin
    update webhook set confirm_by = now()
        where organisation = p_organisation and client = p_client and confirm_by > now();
end
$$;

-- Adds an organisation. Refuses kinds that also need an area, and a code that is in use.
create function administration_add_organisation(p_code text, p_kind text, p_name text) returns text
language plpgsql as $$
begin
    if p_code !~ '^[A-Z][A-Z0-9-]{1,31}$' then
        raise exception 'A code is 2 to 32 of `A-Z 0-9 -` and begins with a letter.';
    elsif p_kind not in ('local_authority', 'health_board', 'police', 'prosecution', 'reporter', 'inspectorate',
            'national', 'third_sector', 'independent', 'auditor') then
        raise exception 'A kind is local_authority, health_board, police, prosecution, reporter, inspectorate, national, '
            'third_sector, independent or auditor. Committees and their chief officers come with the program.';
    elsif length(trim(p_name)) not between 1 and 200 then
        raise exception 'A name has 1 to 200 characters.';
    elsif exists (select from organisation o where o.code = p_code) then
        raise exception 'There is an organisation % already. A code is never used again.', p_code;
    end if;
    insert into organisation (code, kind, name) values (p_code, p_kind, trim(p_name));
    perform administration_note('addOrganisation', 'organisations', p_code);
    return format('The organisation %s was added.', p_code);
end
$$;

-- Changes the name of an organisation; later versions of the program do not change it back.
create function administration_rename_organisation(p_code text, p_name text) returns text language plpgsql as $$
begin
    perform administration_refuse_unknown(p_code);
    if length(trim(p_name)) not between 1 and 200 then
        raise exception 'A name has 1 to 200 characters.';
    end if;
    update organisation set name = trim(p_name), renamed = true where code = p_code;
    perform administration_note('renameOrganisation', 'organisations', p_code);
    return format('The organisation %s has its new name.', p_code);
end
$$;

-- Retires an organisation: blocks all its clients and ends their mappings. Its records stay.
create function administration_retire_organisation(p_code text) returns text language plpgsql as $$
declare
    mapped bigint;
begin
    perform administration_refuse_unknown(p_code);
    if exists (select from organisation o where o.code = p_code and o.retired_on is not null) then
        raise exception 'The organisation % is retired already.', p_code;
    elsif exists (select from organisation o where o.code = p_code and o.kind in ('committee', 'chief_officers_group'))
    then
        raise exception 'A committee and its chief officers cannot be retired: their cases must have a holder.';
    end if;
    update organisation set retired_on = today() where code = p_code;
    insert into exclusion (organisation) values (p_code)
        on conflict (organisation, client, token_id) do update set until = null;
    with ended as (delete from client_organisation where organisation = p_code returning 1)
    select count(*) into mapped from ended;
    perform administration_note('retireOrganisation', 'organisations', p_code);
    return format('The organisation %s is retired: its clients are blocked, and %s mappings ended. Its records stay.',
        p_code, mapped);
end
$$;

-- Maps a client to its organisation, or to another one.
create function administration_map_client(p_client text, p_organisation text) returns text language plpgsql as $$
declare
    former text;
begin
    perform administration_refuse_client(p_client);
    perform administration_refuse_unknown(p_organisation);
    if exists (select from organisation o where o.code = p_organisation and o.retired_on is not null) then
        raise exception 'The organisation % is retired.', p_organisation;
    end if;
    select m.organisation into former from client_organisation m where m.client = p_client for update;
    if former = p_organisation then
        return format('The client %s is mapped to %s already.', p_client, p_organisation);
    end if;
    insert into client_organisation (client, organisation) values (p_client, p_organisation)
        on conflict (client) do update set organisation = excluded.organisation, mapped_at = now();
    if former is not null then
        perform administration_suspend_webhooks(former, p_client);
    end if;
    perform administration_note('mapClient', 'clients', p_client || ':' || p_organisation);
    return format('The client %s is mapped to %s. It takes effect within a minute.', p_client, p_organisation);
end
$$;

-- Ends the mapping of a client.
create function administration_unmap_client(p_client text) returns text language plpgsql as $$
declare
    former text;
begin
    delete from client_organisation m where m.client = p_client returning m.organisation into former;
    if former is null then
        raise exception 'The client % is not mapped.', p_client;
    end if;
    perform administration_suspend_webhooks(former, p_client);
    perform administration_note('unmapClient', 'clients', p_client || ':' || former);
    return format('The client %s is not mapped to %s any more. It takes effect within a minute.', p_client, former);
end
$$;

-- Returns the organisation that a command names, or that of the client's mapping.
create function administration_organisation_of(p_client text, p_organisation text) returns text
language plpgsql stable as $$
declare
    mapped text;
begin
    if p_organisation is not null then
        perform administration_refuse_unknown(p_organisation);
        return p_organisation;
    end if;
    select m.organisation into mapped from client_organisation m where m.client = p_client;
    if mapped is null then
        raise exception 'The client % is not mapped: give its organisation.', p_client;
    end if;
    return mapped;
end
$$;

-- Blocks a client of an organisation.
create function administration_block_client(p_client text, p_organisation text, p_until timestamptz) returns text
language plpgsql as $$
declare
    v_code text := administration_organisation_of(p_client, p_organisation);
begin
    perform administration_refuse_client(p_client);
    perform administration_refuse_past(p_until);
    insert into exclusion (organisation, client, until) values (v_code, p_client, p_until)
        on conflict (organisation, client, token_id) do update set until = excluded.until;
    perform administration_note('blockClient', 'clients', p_client || ':' || v_code);
    return format('The client %s of %s is blocked from its next request on%s.', p_client, v_code,
        coalesce(' until ' || rendered(p_until), ''));
end
$$;

-- Ends the block of a client.
create function administration_unblock_client(p_client text, p_organisation text) returns text language plpgsql as $$
declare
    v_code text := administration_organisation_of(p_client, p_organisation);
begin
    delete from exclusion x where x.organisation = v_code and x.client = p_client and x.token_id is null;
    if not found then
        raise exception 'The client % of % is not blocked.', p_client, v_code;
    end if;
    perform administration_note('unblockClient', 'clients', p_client || ':' || v_code);
    return format('The client %s of %s is not blocked any more.', p_client, v_code);
end
$$;

-- Blocks one token of an organisation by its jti.
create function administration_block_token(p_token_id text, p_organisation text, p_until timestamptz) returns text
language plpgsql as $$
begin
    perform administration_refuse_unknown(p_organisation);
    if length(p_token_id) not between 1 and 128 then
        raise exception 'The jti of a token has 1 to 128 characters.';
    end if;
    perform administration_refuse_past(p_until);
    insert into exclusion (organisation, token_id, until) values (p_organisation, p_token_id, p_until)
        on conflict (organisation, client, token_id) do update set until = excluded.until;
    perform administration_note('blockToken', 'tokens', p_token_id);
    return format('The token is blocked from its next request on%s.', coalesce(' until ' || rendered(p_until), ''));
end
$$;

-- Returns the mapped clients and the blocks as lines of text.
create function administration_list_clients() returns text language sql stable as $$
    select coalesce(string_agg(line, E'\n' order by kind, line), 'No client is mapped or blocked.')
    from (select 1 as kind, format('mapped   %s  %s', m.client, m.organisation) as line from client_organisation m
        union all
        select 2, format('blocked  %s  %s%s%s', coalesce(x.client, '(every client)'), x.organisation,
            coalesce('  token ' || x.token_id, ''), coalesce('  until ' || rendered(x.until), ''))
        from exclusion x where x.until is null or x.until > now()) lines
$$;

do $$
declare
    each regprocedure;
begin
    for each in select p.oid from pg_proc p where p.pronamespace = current_schema()::regnamespace
            and p.proname like 'administration\_%' loop
        execute format('revoke execute on function %s from register_service', each);
    end loop;
end
$$;
