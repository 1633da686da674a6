-- Access of other organisations to a single case: chairs, reviewers and team members for a time, committees that take
-- part in a joint review, and organisations consulted about parallel processes.

-- The document of an access to a case.
create function access_document(a case_access) returns json language sql stable as $$
    select json_build_object(
        'id', a.id,
        'case_id', a.case_id,
        'organisation', a.organisation,
        'client_id', a.client,
        'role', a.role,
        'starts_on', a.starts_on,
        'ends_on', a.ends_on,
        'ended_on', a.ended_on,
        'in_force', access_in_force(a),
        'created_at', rendered(a.created_at),
        'updated_at', rendered(a.updated_at),
        'version', a.version,
        'etag', entity_tag(a.version),
        'links', json_build_object(
            'self', '/v1/cases/' || a.case_id || '/access/' || a.id,
            'case', '/v1/cases/' || a.case_id))
$$;

-- Returns the faults of an access. The kind of organisation must match the role, and an alternative review has the
-- owner that the current decision names; a person's access needs a client and an end within two years; a committee
-- needs no access to its own cases. Guidance 2024, chapter 3.
create function access_faults(a case_access) returns json[] language plpgsql stable as $$
declare
    kind text := (select o.kind from organisation o where o.code = a.organisation);
    of_a_person boolean := a.role in ('chair', 'reviewer', 'team_member');
begin
    return array[
        case when kind is null then unknown_code_fault('/organisation', 'an organisation', 'organisations')
            -- An existing access may belong to a committee that has taken the case over since.
            when a.id is null and a.organisation = claim('organisation') and not of_a_person then
                fault('/organisation', 'access_to_own_case', 'already has access to its own cases')
            when a.role = 'joint_committee' and kind <> 'committee' then
                fault('/organisation', 'organisation_does_not_fit_role', 'must be a committee for this role')
            -- A later decision does not invalidate an existing access; the committee ends it.
            when a.id is null and a.role = 'alternative_owner' and not exists (select from case_decision d
                    where d.case_id = a.case_id and d.current and d.alternative_owner = a.organisation) then
                fault('/organisation', 'organisation_does_not_fit_role',
                    'must be the alternative_owner of the current decision for this role')
            when a.role = 'proceedings_liaison' and kind not in ('police', 'prosecution', 'reporter') then
                fault('/organisation', 'organisation_does_not_fit_role',
                    'must be police, prosecution or reporter for this role') end,
        case when of_a_person and a.client is null then
            fault('/client_id', 'client_required', 'is required for personal access') end,
        case when of_a_person and a.ends_on is null then
            fault('/ends_on', 'end_required', 'is required for personal access') end,
        case when a.ends_on < a.starts_on then
            fault('/ends_on', 'date_order', 'must not be before starts_on') end,
        case when of_a_person and a.ends_on > a.starts_on + 731 then
            fault('/ends_on', 'too_long', 'must be at most two years after starts_on') end];
end
$$;

-- Opens an open case to an organisation or one of its clients (201). Refuses with 409 an access that is already in
-- force, and with 422 what access_faults returns.
create function access_grant(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    a case_access := jsonb_populate_record(null::case_access, input);
begin
    a.client := input ->> 'client_id';
    a.case_id := c.id;
    perform refuse_faults(variadic access_faults(a));
    if exists (select from case_access x where x.case_id = c.id and x.organisation = a.organisation
            and x.client is not distinct from a.client and x.role = a.role
            and access_continues(x)) then
        perform conflict('access_there_already', 'This access is already in force. Change it instead.');
    end if;
    a.id := uuid_v7();
    a.committee := c.committee;
    a := insert_row(a);
    return (201, a.version, '/v1/cases/' || c.id || '/access/' || a.id, access_document(a))::reply;
end
$$;

-- Returns the state of an access for its moves: whether the committee ended it.
create function access_state(a case_access) returns text language sql immutable as $$
    select case when a.ended_on is null then 'open' else 'ended' end
$$;

-- Moves the end of an access, or ends it at once. Refuses with 404, 412, 428, with 409 an access that has ended, and
-- with 422 what access_faults returns or days out of order.
create function access_change(p_case uuid, p_id uuid, expected bigint, change jsonb) returns reply
language plpgsql as $$
declare
    c review_case := case_lock(p_case, null);
    a case_access;
    n case_access;
begin
    select * into a from case_access where case_id = c.id and id = p_id for update;
    perform refuse_unless_found(found and may_move(to_jsonb(a), 'access', 'changeAccess'));
    perform refuse_stale(expected, a.version);
    perform refuse_move(a, 'access', 'changeAccess', access_state(a));
    n := jsonb_populate_record(a, change);
    perform refuse_faults(variadic access_faults(n) || array[
        future_fault('/ended_on', n.ended_on),
        early_fault('/ended_on', n.ended_on, n.starts_on, 'starts_on')]);
    update case_access set ends_on = n.ends_on, ended_on = n.ended_on
        where id = p_id returning * into a;
    return (200, a.version, null, access_document(a))::reply;
end
$$;
