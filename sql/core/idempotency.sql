-- Responses stored under an Idempotency-Key, and the parts of them that a repetition may see.
--
-- A stored response holds the members that the first token could see. The token of a repetition may see less: its
-- client lost a scope, the case moved to another committee, or an access ended. Each repetition therefore checks the
-- response again. It gives 404 if the caller could see the subject then and cannot now; members that a read would hide
-- are null.

-- Returns the collection and identifier of the resource that a response is about: the one at its Location, else the one
-- in the path of the request, else nulls.
create function answer_subject(location text, path text, out collection text, out subject uuid)
language plpgsql immutable as $$
declare
    parts text[] := regexp_match(coalesce(location, path),
        '^/v1/([a-z-]+)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/|$)', 'i');
begin
    collection := parts[1];
    subject := parts[2]::uuid;
end
$$;

-- Whether row-level security shows the caller the resource. False for every other collection: those resources belong to
-- no case.
create function is_visible(p_collection text, p_subject uuid) returns boolean language plpgsql stable as $$
begin
    return case p_collection
        when 'cases' then exists (select from review_case t where t.id = p_subject)
        when 'referrals' then exists (select from referral t where t.id = p_subject)
        when 'actions' then exists (select from action t where t.id = p_subject)
        when 'information-requests' then exists (select from information_request t where t.id = p_subject)
        when 'notices' then exists (select from notice t where t.id = p_subject)
        when 'document-releases' then exists (select from document_release t where t.id = p_subject)
        when 'transfers' then exists (select from case_transfer t where t.id = p_subject)
        when 'anonymous-reviews' then exists (select from anonymous_review t where t.id = p_subject)
        when 'webhooks' then exists (select from webhook t where t.id = p_subject)
        else false end;
end
$$;

-- Whether the caller may know the identifier of a case, even if its scopes show no row of it. Runs as the owner: the
-- rows of the case may be hidden from the caller.
create function is_known_case(p_case uuid) returns boolean
language plpgsql stable security definer set search_path from current as $$
begin
    return exists (select from review_case c where c.id = p_case and knows_case(c.committee, c.id));
end
$$;

-- Returns the members of a child that a response contains only with the scope children.read.
create function guarded_members() returns text[] language sql immutable as $$
    select array['child_ref', 'family_ref', 'age_years']
$$;

-- Returns the document with every guarded member set to null, at any depth.
create function without_guarded(node jsonb) returns jsonb language plpgsql immutable as $$
begin
    return case jsonb_typeof(node)
        when 'object' then (select coalesce(jsonb_object_agg(m.key, case when m.key = any (guarded_members())
            then 'null' else without_guarded(m.value) end), '{}') from jsonb_each(node) m)
        when 'array' then (select coalesce(jsonb_agg(without_guarded(i.value) order by i.place), '[]')
            from jsonb_array_elements(node) with ordinality i (value, place))
        else node end;
end
$$;

-- Returns a stored response as its operation would show it to the caller now. Returns the same bytes if nothing is
-- hidden.
create function answer_for_caller(answer text) returns text language plpgsql stable as $$
declare
    shown jsonb := answer::jsonb;
begin
    if not has_scope('children.read') and shown ->> 'source_organisation' is distinct from own_organisation() then
        shown := without_guarded(shown);
    end if;
    if shown ->> 'case_id' is not null and not is_known_case((shown ->> 'case_id')::uuid) then
        shown := shown || '{"case_id": null}';
        if shown #>> '{links,case}' is not null then
            shown := jsonb_set(shown, '{links,case}', 'null');
        end if;
    end if;
    return case when shown = answer::jsonb then answer else shown::text end;
end
$$;

-- Returns the response stored under the caller's key, or no row. Waits for a running request with the same key, so that
-- its repetition finds the response. Refuses with 404 if the caller may no longer see the subject.
create function idempotency_known(p_key text) returns setof idempotency_key
language plpgsql volatile as $$
declare
    k idempotency_key;
begin
    perform pg_advisory_xact_lock(hashtextextended(
        concat_ws(' ', claim('organisation'), claim('client'), p_key), 1));
    select * into k from idempotency_key
        where organisation = claim('organisation') and client = claim('client') and key = p_key;
    if not found then
        return;
    end if;
    perform refuse_unless_found(not k.seen or is_visible(k.collection, k.subject));
    k.body := answer_for_caller(k.body);
    return next k;
end
$$;
