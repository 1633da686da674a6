-- The facts about a caller from which the claims of a transaction are made (sql/core/queries.sql). The functions run as
-- the owner because they are called before the claims are set.

-- Returns the cases opened to a client on this day: those to read whole, and those of which it sees only the
-- proceedings. Runs as the owner: no claims are set yet.
create function access_of(p_organisation text, p_client text, out granted text, out liaison text)
language plpgsql stable security definer set search_path from current as $$
begin
    select coalesce(array_agg(a.case_id) filter (where a.role <> 'proceedings_liaison'), '{}')::text,
            coalesce(array_agg(a.case_id) filter (where a.role = 'proceedings_liaison'), '{}')::text
        into granted, liaison
        from case_access a
        where a.organisation = p_organisation and (a.client is null or a.client = p_client)
            and access_in_force(a);
end
$$;

-- Returns the cases offered to a committee and those merged into them, until the transfer is decided or withdrawn. Runs
-- as the owner: no claims are set yet.
create function offered_to(p_committee text) returns text
language plpgsql stable security definer set search_path from current as $$
begin
    return (select coalesce(array_agg(o.id), '{}')::text
        from case_transfer t
        cross join lateral (select t.case_id union all
            select c.id from review_case c where c.merged_into = t.case_id) o (id)
        where t.to_committee = p_committee and t.status = 'proposed');
end
$$;

-- Whether the organisation, the client or the token is blocked. Runs as the owner, who alone may read the list.
create function is_excluded(p_organisation text, p_client text, p_token_id text) returns boolean
language plpgsql stable security definer set search_path from current as $$
begin
    return exists (select from exclusion x
        where x.organisation = p_organisation and (x.client is null or x.client = p_client)
            and (x.token_id is null or x.token_id = p_token_id) and (x.until is null or x.until > now()));
end
$$;

-- Returns the organisations that have blocked clients or tokens, with a blank on either side of each code. Their
-- requests are never answered from memory. Runs as the owner, who alone may read the list.
create function excluded_organisations() returns text
language sql stable security definer set search_path from current as $$
    select coalesce(string_agg(distinct ' ' || organisation || ' ', ''), '') from exclusion
    where until is null or until > now()
$$;

-- Returns the organisation that a client is mapped to, or null. Runs as the owner, who alone may read the mappings: it
-- is called before there are claims, because they need its result.
create function organisation_of(p_client text) returns text
language plpgsql stable security definer set search_path from current as $$
begin
    return (select m.organisation from client_organisation m where m.client = p_client);
end
$$;
