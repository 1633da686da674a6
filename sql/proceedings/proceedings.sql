-- Proceedings that run in parallel to a review, the agreements with the bodies that lead them, and the parts of the
-- review that wait for them. Guidance 2024, annex 2.

-- The document of proceedings. A liaison organisation gets the reference of the case, but not its identifier.
create function proceeding_document(p proceeding) returns json language plpgsql stable as $$
declare
    known uuid := case when p.committee = claim('area') or p.case_id = any (readable_cases()) then p.case_id end;
begin
    return json_build_object(
        'id', p.id,
        'case_id', known,
        'case_reference', p.case_reference,
        'committee', p.committee,
        'kind', p.kind,
        'started_on', p.started_on,
        'ended_on', p.ended_on,
        'contact_made_on', p.contact_made_on,
        'contact_with', p.contact_with,
        'liaison_meeting_on', p.liaison_meeting_on,
        'position', p.position,
        'agreed_with', p.agreed_with,
        'restrictions', p.restrictions,
        'permitted', p.permitted,
        'exchanges', p.exchanges,
        'review_on', p.review_on,
        'review_overdue', coalesce(p.review_on < today(), false) and p.ended_on is null,
        'note', p.note,
        'created_at', rendered(p.created_at),
        'updated_at', rendered(p.updated_at),
        'version', p.version,
        'etag', entity_tag(p.version),
        'links', json_build_object(
            'self', '/v1/proceedings/' || p.id,
            'case', '/v1/cases/' || known));
end
$$;

-- Returns a fault for each exchange of information that is dated in the future; empty or nulls if there are none.
create function exchange_faults(exchanges jsonb) returns json[] language sql stable as $$
    select coalesce(array_agg(future_fault(format('/exchanges/%s/exchanged_on', n - 1),
        (each ->> 'exchanged_on')::date) order by n), '{}')
    from jsonb_array_elements(exchanges) with ordinality u(each, n)
$$;

-- Returns the faults of proceedings: days out of order, no day of review while they affect the review, restrictions
-- without such an effect, contact with the family both restricted and permitted. Guidance 2024, annex 2.
create function proceeding_faults(p proceeding) returns json[] language sql stable as $$
    select array[
        future_fault('/started_on', p.started_on),
        future_fault('/ended_on', p.ended_on),
        early_fault('/ended_on', p.ended_on, p.started_on, 'the proceedings started'),
        future_fault('/contact_made_on', p.contact_made_on),
        future_fault('/liaison_meeting_on', p.liaison_meeting_on),
        early_fault('/liaison_meeting_on', p.liaison_meeting_on, p.contact_made_on, 'the contact was made'),
        early_fault('/review_on', p.review_on, p.started_on, 'the proceedings started'),
        case when p.position <> 'no_effect' and p.ended_on is null and p.review_on is null then
            fault('/review_on', 'review_date_required',
                'is needed while the proceedings have an effect on the review and have not ended') end,
        case when p.position = 'no_effect' and cardinality(p.restrictions) > 0 then
            fault('/restrictions', 'restricted_without_effect',
                'must be empty while the proceedings have no effect on the review') end,
        case when 'no_family_contact' = any (p.restrictions) and 'family_contact' = any (p.permitted) then
            fault('/permitted', 'permitted_and_restricted', 'contradicts restrictions') end
    ] || organisation_faults('/agreed_with', p.agreed_with) || exchange_faults(p.exchanges)
$$;

-- Adds proceedings to an open case, and makes the decision notices that they call for (201). Refuses with 422 what
-- proceeding_faults returns.
create function proceeding_create(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    p proceeding := jsonb_populate_record(null::proceeding, input);
begin
    perform refuse_faults(variadic proceeding_faults(p));
    p.id := uuid_v7();
    p.committee := c.committee;
    p.case_id := c.id;
    p.case_reference := c.reference;
    p.recorded_by := claim('organisation');
    p.restriction_origins := restriction_origins(null, p);
    p := insert_row(p);
    perform decision_notify_late_recipients(c.id);
    return (201, p.version, '/v1/proceedings/' || p.id, proceeding_document(p))::reply;
end
$$;

-- Whether a case is closed. Runs as the owner: liaison organisations see its proceedings and not the case itself.
create function case_is_closed(p_id uuid) returns boolean
language plpgsql stable security definer set search_path from current as $$
begin
    return exists (select from review_case where id = p_id and stage = 'closed');
end
$$;

-- Locks and returns proceedings that the caller may change; `p_case` is null if only their own identifier is known.
-- Refuses with 404 other proceedings, a stale version as refuse_stale does, and with 409 a closed case.
create function proceeding_lock(p_case uuid, p_id uuid, expected bigint) returns proceeding
language plpgsql as $$
declare
    p proceeding;
begin
    perform case_advisory_lock(case_id) from proceeding where id = p_id;
    -- A liaison organisation sees proceedings on their own, not as parts of a case.
    select * into p from proceeding where id = p_id
        and (p_case is null or case_id = p_case and exists (select from review_case c where c.id = p_case)) for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, p.version);
    if case_is_closed(p.case_id) then
        perform conflict('case_closed', 'The case is closed. Re-open it first.');
    end if;
    return p;
end
$$;

-- Returns a fault for each member that only the committee of the case may change; empty if there are none.
create function proceeding_liaison_faults(change jsonb) returns json[] language sql immutable as $$
    select coalesce(array_agg(fault('/' || member, 'committee_only', 'is changed by the committee of the case')
        order by member), '{}')
    from jsonb_object_keys(change) member
    where member not in ('contact_made_on', 'contact_with', 'liaison_meeting_on', 'position', 'restrictions', 'permitted',
        'exchanges', 'review_on', 'note')
$$;

-- Changes proceedings, lifts their holds if they ended, and makes the decision notices that the change calls for. A
-- liaison organisation may change only some members (422). Refuses as proceeding_lock does, and with 422 what
-- proceeding_faults returns, and a restriction lifted that another body set.
create function proceeding_change(p_case uuid, p_id uuid, expected bigint, change jsonb)
returns reply language plpgsql as $$
declare
    p proceeding := proceeding_lock(p_case, p_id, expected);
    n proceeding := jsonb_populate_record(p, change);
begin
    perform refuse_faults(variadic proceeding_faults(n) || restriction_lifting_fault(p, n)
        || case when p.committee <> claim('committee') then proceeding_liaison_faults(change) else '{}' end);
    update proceeding set kind = n.kind, started_on = n.started_on, ended_on = n.ended_on,
            contact_made_on = n.contact_made_on, contact_with = n.contact_with,
            liaison_meeting_on = n.liaison_meeting_on, position = n.position, agreed_with = n.agreed_with,
            restrictions = n.restrictions, restriction_origins = restriction_origins(p, n), permitted = n.permitted,
            exchanges = n.exchanges, review_on = n.review_on, note = n.note
        where id = p_id returning * into n;
    if p.ended_on is null and n.ended_on is not null then
        perform holds_end_with(n);
    end if;
    perform decision_notify_late_recipients(n.case_id);
    return (200, n.version, null, proceeding_document(n))::reply;
end
$$;

-- Whether the case has proceedings that have not ended.
create function case_has_open_proceedings(p_case uuid) returns boolean language plpgsql stable as $$
begin
    return exists (select from proceeding p where p.case_id = p_case and p.ended_on is null);
end
$$;

-- For all open proceedings, contact must be made with the bodies that lead them.
create function guard_prosecution_contacted(c review_case) returns boolean
language plpgsql stable as $$
begin
    return not exists (select from proceeding p where p.case_id = c.id and p.ended_on is null
        and p.contact_made_on is null);
end
$$;
