-- Who the caller is: what the claims of a transaction are made of (sql/core/queries.sql). Functions here run as the owner:
-- they are asked before the claims stand.

-- The cases opened to a client, by what the access allows.
create function access_of(p_organisation text, p_client text, out granted text, out liaison text)
language plpgsql stable security definer set search_path from current as $$
begin
    select coalesce(array_agg(a.case_id) filter (where a.role <> 'proceedings_liaison'), '{}')::text,
            coalesce(array_agg(a.case_id) filter (where a.role = 'proceedings_liaison'), '{}')::text
        into granted, liaison
        from case_access a
        where a.organisation = p_organisation and (a.client is null or a.client = p_client)
            and a.ended_on is null and a.starts_on <= today() and (a.ends_on is null or a.ends_on >= today());
end
$$;

-- The cases offered to a committee, with those that were merged into them, until the transfer is decided or withdrawn.
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

-- Whether the client or the token is blocked. Nobody but the owner sees the list.
create function is_excluded(p_organisation text, p_client text, p_token_id text) returns boolean
language plpgsql stable security definer set search_path from current as $$
begin
    return exists (select from exclusion x
        where x.organisation = p_organisation and (x.client is null or x.client = p_client)
            and (x.token_id is null or x.token_id = p_token_id));
end
$$;

-- Those with clients or tokens that are shut out, a space on either side of each: they are not answered from memory.
create function excluded_organisations() returns text
language sql stable security definer set search_path from current as $$
    select coalesce(string_agg(distinct ' ' || organisation || ' ', ''), '') from exclusion
$$;
