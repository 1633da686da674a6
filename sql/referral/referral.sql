-- Referrals: their document, the rules of the guidance, pushing, changing and deciding.

-- The members of a pushed referral, as the contract names them.
create type referral_input as (
    source_system text, source_reference text, source_role text, committee text, local_authority text, notified_on date,
    aware_on date, incident_on date, incident_kind text, children jsonb, criteria_claimed text[], basis text,
    immediate_concerns text, passed_to_organisation text, agencies_involved text[], parallel_processes text[],
    other_committees text[], discussed_with_partners boolean, guidance_edition text
);

-- Returns the children of a referral as child_document shows them without children.read: in bands only.
create function children_in_bands(children jsonb) returns jsonb language plpgsql immutable as $$
begin
    return (select jsonb_agg(without_guarded(k) order by n)
        from jsonb_array_elements(children) with ordinality u(k, n));
end
$$;

-- Whether the referral ended without becoming part of a case.
create function referral_ended_alone(status text) returns boolean language sql immutable as $$
    select status in ('rejected', 'withdrawn')
$$;

-- Returns the last day on which a rejected or withdrawn referral is kept; null for any other referral.
create function referral_retain_until(r referral) returns date language sql stable as $$
    select case when referral_ended_alone(r.status) then retained_until(r.committee, r.decided_on) end
$$;

-- Returns the identifier of the referral with this identifier or reference; null if the caller sees none with the
-- reference. A reference ends with the random part of the identifier; of two equal ones it is the first that arrived.
create function referral_named(name text) returns uuid language sql stable as $$
    select case when name like 'RF-%' then (select r.id from referral r where r.reference = name
        order by r.received_at, r.id limit 1) else name::uuid end
$$;

-- The document of a referral. Its sender sees all of it; other callers need children.read to see more of the children
-- than bands. The identifier of the case is null for callers outside its committee.
create function referral_document(r referral) returns json language sql stable as $$
    select json_build_object(
        'id', r.id,
        'reference', r.reference,
        'source_organisation', r.source_organisation,
        'source_system', r.source_system,
        'source_reference', r.source_reference,
        'source_role', r.source_role,
        'committee', r.committee,
        'local_authority', r.local_authority,
        'notified_on', r.notified_on,
        'received_on', r.received_on,
        'aware_on', r.aware_on,
        'incident_on', r.incident_on,
        'incident_kind', r.incident_kind,
        'children', case when r.source_organisation = own_organisation() or has_scope('children.read')
            then r.children else children_in_bands(r.children) end,
        'criteria_claimed', r.criteria_claimed,
        'basis', r.basis,
        'immediate_concerns', r.immediate_concerns,
        'passed_to_organisation', r.passed_to_organisation,
        'agencies_involved', r.agencies_involved,
        'parallel_processes', r.parallel_processes,
        'other_committees', r.other_committees,
        'transferred_from', r.transferred_from,
        'discussed_with_partners', r.discussed_with_partners,
        'guidance_edition', r.guidance_edition,
        'status', r.status,
        'acknowledged_on', r.acknowledged_on,
        'decided_on', r.decided_on,
        'reason', r.reason,
        'note', r.note,
        'case_id', case when r.committee = claim('committee') then r.case_id end,
        'case_reference', r.case_reference,
        'case_stage', r.case_stage,
        'case_decision', r.case_decision,
        'retain_until', referral_retain_until(r),
        'received_at', rendered(r.received_at),
        'updated_at', rendered(r.updated_at),
        'version', r.version,
        'etag', entity_tag(r.version),
        'links', json_build_object(
            'self', '/v1/referrals/' || r.id,
            'case', case when r.committee = claim('committee') then '/v1/cases/' || r.case_id end))
$$;

-- Returns the criteria that the children's outcomes do not support, or null: some criteria need a child who died,
-- others a child under care and risk management. It runs for each push, so it is in plpgsql, which keeps its plans
-- between calls. Guidance 2024, chapter 2.
create function unsupported_criteria(criteria text[], children jsonb) returns text[]
language plpgsql stable as $$
declare
    found text[];
begin
    select array_agg(c.code order by c.code) into found
        from criterion c
        where c.code = any (criteria) and rules_apply(c.guidance, c.edition)
            and (c.needs_death and not children @> '[{"outcome": "died"}]'
                or c.needs_care_and_risk_management and not children @> '[{"carm": true}]');
    return found;
end
$$;

-- Returns the faults of one child: a cause of death without a death, an age outside its band. Empty if there are none.
-- The child must be valid by the contract.
create function child_faults(child jsonb, path text) returns json[]
language plpgsql immutable as $$
declare
    faults json[] := '{}';
begin
    if child ->> 'cause_of_death_group' is not null and child ->> 'outcome' <> 'died' then
        faults := faults || fault(path || '/cause_of_death_group', 'only_for_a_death',
            'is only allowed for a child who died');
    end if;
    if child ->> 'age_band' <> age_band((child ->> 'age_years')::integer) then
        faults := faults || fault(path || '/age_years', 'age_outside_band', 'is not in the age band');
    end if;
    return faults;
end
$$;

-- Returns the faults of a list of children, including a child named twice; empty if there are none.
create function children_faults(children jsonb, path text) returns json[]
language plpgsql immutable as $$
declare
    faults json[] := '{}';
    seen text[] := '{}';
    child jsonb;
    place text;
begin
    for n in 0 .. jsonb_array_length(children) - 1 loop
        child := children -> n;
        place := path || '/' || n;
        faults := faults || child_faults(child, place);
        if child ->> 'child_ref' = any (seen) then
            faults := faults || fault(place || '/child_id', 'repeated_child',
                'duplicates a child in the list');
        end if;
        seen := seen || (child ->> 'child_ref');
    end loop;
    return faults;
end
$$;

-- Returns the fault of a local authority outside the committee's area, or of an unknown or replaced code; null if it is
-- in the area.
create function area_fault(area text, committee text, pointer text) returns json
language plpgsql stable as $$
declare
    its_committee text;
    replacement text;
begin
    select a.committee into its_committee from local_authority a where a.code = area;
    if its_committee = committee then
        return null;
    end if;
    if its_committee is not null then
        return fault(pointer, 'outside_committee_area', 'is not in the area of the committee');
    end if;
    select f.replaced_by into replacement from former_area_code f where f.code = area;
    return case when replacement is null then unknown_code_fault(pointer, 'a local authority', 'local-authorities')
        else fault(pointer, 'unknown_code', 'was replaced by ' || replacement) end;
end
$$;

-- Returns every rule of the guidance and of the calendar that a referral breaks, or null. The referral must be valid by
-- the contract. Guidance 2024, chapter 2.
create function referral_faults(r referral_input) returns json language plpgsql stable as $$
declare
    faults json[] := children_faults(r.children, '/children');
    unsupported text[] := unsupported_criteria(r.criteria_claimed, r.children);
    outside json := area_fault(r.local_authority, r.committee, '/local_authority');
begin
    if outside is not null then
        faults := faults || case when exists (select from committee c where c.code = r.committee)
            then outside else unknown_code_fault('/committee', 'a committee', 'committees') end;
    end if;
    if r.notified_on > today() then
        faults := faults || fault('/notified_on', 'date_in_future', 'must not be in the future');
    end if;
    if r.aware_on > r.notified_on then
        faults := faults || fault('/aware_on', 'date_order', 'must not be after notified_on');
    end if;
    if r.incident_on > r.aware_on then
        faults := faults || fault('/incident_on', 'date_order', 'must not be after aware_on');
    end if;
    if r.immediate_concerns = 'passed_on' and r.passed_to_organisation is null then
        faults := faults || fault('/passed_to_organisation', 'required_when_passed_on',
            'must name the organisation to which the concerns were passed');
    end if;
    if r.passed_to_organisation is not null
            and not exists (select from organisation o where o.code = r.passed_to_organisation) then
        faults := faults || unknown_code_fault('/passed_to_organisation', 'an organisation', 'organisations');
    end if;
    if cardinality(r.other_committees) > 0 and (r.committee = any (r.other_committees)
            or exists (select from unnest(r.other_committees) o
                where not exists (select from committee c where c.code = o))) then
        faults := faults || fault('/other_committees', 'unknown_code', 'must name other committees only');
    end if;
    if unsupported is not null then
        faults := faults || fault('/criteria_claimed', 'criterion_not_supported_by_facts',
            'names a criterion that no child''s outcome supports: ' || array_to_string(unsupported, ', '));
    end if;
    return case when cardinality(faults) > 0 then array_to_json(faults) end;
end
$$;

-- Returns the faults for which a push of this document would be refused. Refuses with 403 an organisation code that
-- several bodies share.
create function referral_validate(input jsonb) returns json language plpgsql stable as $$
begin
    if own_organisation() = '' then
        perform refuse(403, 'organisation_not_allowed');
    end if;
    return coalesce(referral_faults(jsonb_populate_record(null::referral_input, input)), '[]');
end
$$;

-- Locks and returns a referral for one of its moves. Refuses with 404 a caller who may not make it, a stale version as
-- refuse_stale does, and with 409 a referral that was decided or withdrawn.
create function referral_lock(p_id uuid, expected bigint, operation text) returns referral
language plpgsql as $$
declare
    r referral;
begin
    select * into r from referral where id = p_id for update;
    perform refuse_unless_found(found and may_move(to_jsonb(r), 'referral', operation));
    perform refuse_stale(expected, r.version);
    perform refuse_move(r, 'referral', operation, r.status);
    return r;
end
$$;

-- Changes a referral for its sender, while the committee has not decided about it. Refuses as referral_lock does, and
-- with 422 what breaks a rule.
create function referral_change(p_id uuid, expected bigint, change jsonb) returns reply
language plpgsql as $$
declare
    r referral := referral_lock(p_id, expected, 'changeReferral');
    i referral_input;
    faults json;
begin
    i := jsonb_populate_record(jsonb_populate_record(null::referral_input, to_jsonb(r)), change);
    faults := referral_faults(i);
    if faults is not null then
        perform refuse(422, 'rule_violation', faults);
    end if;
    update referral set source_role = i.source_role, local_authority = i.local_authority, notified_on = i.notified_on,
            aware_on = i.aware_on, incident_on = i.incident_on, incident_kind = i.incident_kind,
            children = i.children, criteria_claimed = i.criteria_claimed, basis = i.basis,
            immediate_concerns = i.immediate_concerns, passed_to_organisation = i.passed_to_organisation,
            agencies_involved = i.agencies_involved, parallel_processes = i.parallel_processes,
            other_committees = i.other_committees, discussed_with_partners = i.discussed_with_partners,
            guidance_edition = i.guidance_edition
        where id = p_id returning * into r;
    return (200, r.version, null, referral_document(r))::reply;
end
$$;

-- Withdraws an undecided referral for its sender (201); refuses as referral_lock does.
create function referral_withdraw(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    r referral := referral_lock(p_id, expected, 'withdrawReferral');
begin
    update referral set status = 'withdrawn', decided_on = today(), reason = input ->> 'reason',
            note = input ->> 'note'
        where id = p_id returning * into r;
    return (201, r.version, null, referral_document(r))::reply;
end
$$;

-- Records that the committee acknowledged a referral (201). Refuses as referral_lock does, with 409 a second
-- acknowledgement, and with 422 a day before receipt or in the future. Adult guidance 2022, web page 7.
create function referral_acknowledge(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    r referral := referral_lock(p_id, expected, 'acknowledgeReferral');
    on_day date := (input ->> 'acknowledged_on')::date;
begin
    perform refuse_faults(
        future_fault('/acknowledged_on', on_day),
        early_fault('/acknowledged_on', on_day, r.received_on, 'the referral was received'));
    update referral set status = 'acknowledged', acknowledged_on = on_day
        where id = p_id returning * into r;
    return (201, r.version, null, referral_document(r))::reply;
end
$$;

-- Rejects an undecided referral for the committee that received it (201). Refuses as referral_lock does, and with 422 a
-- day before receipt or in the future.
create function referral_reject(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    r referral := referral_lock(p_id, expected, 'rejectReferral');
    on_day date := (input ->> 'rejected_on')::date;
begin
    perform refuse_faults(
        future_fault('/rejected_on', on_day),
        early_fault('/rejected_on', on_day, r.received_on, 'the referral was received'));
    update referral set status = 'rejected', decided_on = on_day, reason = input ->> 'reason',
            note = input ->> 'note'
        where id = p_id returning * into r;
    return (201, r.version, null, referral_document(r))::reply;
end
$$;

-- Accepts a referral into a new case or, if case_id is given, into an open one of the committee (201). Acknowledges the
-- referral if that was not done. Makes the decision notices that its children and sender call for. Refuses as
-- referral_lock does.
create function referral_accept(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    r referral := referral_lock(p_id, expected, 'acceptReferral');
    c review_case;
    on_day date := (input ->> 'accepted_on')::date;
begin
    perform refuse_faults(
        future_fault('/accepted_on', on_day),
        early_fault('/accepted_on', on_day, r.received_on, 'the referral was received'));
    if input ->> 'case_id' is null then
        c.local_authority := r.local_authority;
        c.review_type := input ->> 'review_type';
        c.guidance_edition := r.guidance_edition;
        c.criteria := r.criteria_claimed;
        c.opened_on := on_day;
        c := case_open(c);
    else
        select * into c from review_case
            where id = (input ->> 'case_id')::uuid and committee = claim('committee') for update;
        if not found then
            perform refuse(422, 'rule_violation', json_build_array(
                fault('/case_id', 'unknown_case', 'is not a case of this committee')));
        end if;
        if c.stage = 'closed' then
            perform conflict_at('/case_id', 'case_closed', 'is a closed case');
        end if;
    end if;
    perform case_add_children(c, r.children);
    update review_case set earliest_referral_received_on =
            least(coalesce(earliest_referral_received_on, r.received_on), r.received_on)
        where id = c.id;
    update referral set status = 'accepted', decided_on = on_day,
            acknowledged_on = coalesce(acknowledged_on, on_day), case_id = c.id,
            case_reference = c.reference, case_stage = c.stage, case_decision = c.decision_outcome
        where id = p_id returning * into r;
    perform decision_notify_late_recipients(c.id);
    return (201, r.version, '/v1/cases/' || c.id, referral_document(r))::reply;
end
$$;
