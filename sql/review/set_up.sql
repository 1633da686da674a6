-- Setting a review up: its mandate, its team, and the liaison with the family.

-- Refuses with 409 `before_set_up` before the decision, and in the stage decision unless the committee decided to
-- proceed. An alternative review passes once its stage review begins.
create function refuse_before_set_up(c review_case) returns void language plpgsql as $$
begin
    if case_is_before(c, 'decision') or c.stage = 'decision' and not guard_decided_to_proceed(c) then
        perform conflict('before_set_up', 'The committee must decide to proceed first.');
    end if;
end
$$;

-- Returns the faults of the day of an event of the review: in the future, or before the stage decision.
create function review_day_faults(pointer text, day date, c review_case) returns json[]
language plpgsql stable as $$
begin
    return array[
        future_fault(pointer, day),
        early_fault(pointer, day, case_decision_entered(c.id), 'the case came to the stage decision')];
end
$$;

-- The document of a review's mandate.
create function mandate_document(m mandate) returns json language plpgsql stable as $$
begin
    return json_build_object(
        'case_id', m.case_id,
        'agreed_on', m.agreed_on,
        'questions', m.questions,
        'period_from', m.period_from,
        'period_to', m.period_to,
        'agencies', m.agencies,
        'target_completion_on', m.target_completion_on,
        'legal_advice', m.legal_advice,
        'media_plan', m.media_plan,
        'staff_support_plan', m.staff_support_plan,
        'restrictions', case_restrictions(m.case_id),
        'budget_pounds', m.budget_pounds,
        'created_at', rendered(m.created_at),
        'updated_at', rendered(m.updated_at),
        'version', m.version,
        'etag', entity_tag(m.version),
        'links', json_build_object(
            'self', '/v1/cases/' || m.case_id || '/mandate',
            'case', '/v1/cases/' || m.case_id));
end
$$;

-- Returns the faults of a mandate: unknown agencies, days in the future, days out of order.
create function mandate_faults(c review_case, m mandate) returns json[] language plpgsql stable as $$
begin
    return review_day_faults('/agreed_on', m.agreed_on, c)
        || organisation_faults('/agencies', m.agencies)
        || array[
            future_fault('/period_from', m.period_from),
            future_fault('/period_to', m.period_to),
            early_fault('/period_to', m.period_to, m.period_from, 'period_from'),
            early_fault('/target_completion_on', m.target_completion_on,
                coalesce(m.agreed_on, case_decision_entered(c.id)), 'the mandate can have been agreed')];
end
$$;

-- Creates or replaces the mandate (201 or 200); `create_only` means that If-None-Match: * was sent. Refuses with 409
-- before the decision to proceed and after the stage reporting. Guidance 2024, chapter 1.
create function mandate_put(p_case uuid, create_only boolean, expected bigint, input jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock(p_case, null);
    m mandate;
    n mandate := jsonb_populate_record(null::mandate, input);
    known boolean;
begin
    select * into m from mandate where case_id = c.id for update;
    known := found;
    perform refuse_put(create_only, expected, m.version);
    perform case_refuse_closed(c);
    perform refuse_before_set_up(c);
    if not case_is_before(c, 'ratification') then
        perform conflict('after_reporting', 'The mandate cannot change after the report went to the chief officers.');
    end if;
    perform refuse_faults(variadic mandate_faults(c, n));
    if known then
        update mandate set agreed_on = n.agreed_on, questions = n.questions, period_from = n.period_from,
                period_to = n.period_to, agencies = n.agencies, target_completion_on = n.target_completion_on,
                legal_advice = n.legal_advice, media_plan = n.media_plan, staff_support_plan = n.staff_support_plan,
                budget_pounds = n.budget_pounds
            where case_id = c.id returning * into m;
    else
        n.case_id := c.id;
        n.committee := c.committee;
        m := insert_row(n);
    end if;
    return (case when known then 200 else 201 end, m.version, null, mandate_document(m))::reply;
end
$$;

-- The document of a member of the review team: role and organisation, no name.
create function team_member_document(m team_member) returns json language sql stable as $$
    select json_build_object(
        'id', m.id,
        'case_id', m.case_id,
        'role', m.role,
        'organisation', m.organisation,
        'client', m.client,
        'independence', m.independence,
        'skills', m.skills,
        'prior_involvement', m.prior_involvement,
        'manages_practitioners', m.manages_practitioners,
        'conflict_statement_on', m.conflict_statement_on,
        'appointed_on', m.appointed_on,
        'ended_on', m.ended_on,
        'ended_reason', m.ended_reason,
        'created_at', rendered(m.created_at),
        'updated_at', rendered(m.updated_at),
        'version', m.version,
        'etag', entity_tag(m.version),
        'links', json_build_object(
            'self', '/v1/cases/' || m.case_id || '/team/' || m.id,
            'case', '/v1/cases/' || m.case_id))
$$;

-- Returns the faults of a member of the team: unknown organisation, days out of order or in the future, a reason
-- without an end. Guidance 2021, annex 5.
create function team_member_faults(c review_case, m team_member) returns json[]
language plpgsql stable as $$
begin
    return review_day_faults('/appointed_on', m.appointed_on, c)
        || array[
            organisation_fault('/organisation', m.organisation),
            future_fault('/ended_on', m.ended_on),
            future_fault('/conflict_statement_on', m.conflict_statement_on),
            early_fault('/ended_on', m.ended_on, m.appointed_on, 'appointed_on'),
            case when m.ended_reason is not null and m.ended_on is null then
                fault('/ended_reason', 'only_when_ended', 'is only allowed for a member who has left the team') end];
end
$$;

-- Refuses with 409 `chair_appointed` a second chair: one chair leads a review at a time.
create function team_refuse_second_chair(c review_case, m team_member) returns void
language plpgsql as $$
begin
    if m.role = 'chair' and m.ended_on is null and exists (
            select from team_member x where x.case_id = c.id and x.role = 'chair' and x.ended_on is null
                and x.id is distinct from m.id) then
        perform conflict_at('/role', 'chair_appointed', 'belongs to another member; end that appointment first');
    end if;
end
$$;

-- Adds a member to the review team (201). Refuses with 409 before the decision to proceed or a second chair, and with
-- 422 what team_member_faults returns.
create function team_member_add(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    m team_member := jsonb_populate_record(null::team_member, input);
begin
    perform refuse_before_set_up(c);
    perform team_refuse_second_chair(c, m);
    perform refuse_faults(variadic team_member_faults(c, m));
    m.id := uuid_v7();
    m.committee := c.committee;
    m.case_id := c.id;
    m := insert_row(m);
    return (201, m.version, '/v1/cases/' || c.id || '/team/' || m.id, team_member_document(m))::reply;
end
$$;

-- Changes a member of the review team, or ends the appointment. Refuses with 404, 412, 428, with 409 a second chair,
-- and with 422 what team_member_faults returns.
create function team_member_change(p_case uuid, p_id uuid, expected bigint, change jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    m team_member;
    n team_member;
begin
    select * into m from team_member where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, m.version);
    n := jsonb_populate_record(m, change);
    perform team_refuse_second_chair(c, n);
    perform refuse_faults(variadic team_member_faults(c, n));
    update team_member set role = n.role, organisation = n.organisation, client = n.client,
            independence = n.independence, appointed_on = n.appointed_on, ended_on = n.ended_on,
            ended_reason = n.ended_reason, skills = n.skills, prior_involvement = n.prior_involvement,
            manages_practitioners = n.manages_practitioners, conflict_statement_on = n.conflict_statement_on
        where id = p_id returning * into m;
    return (200, m.version, null, team_member_document(m))::reply;
end
$$;

-- The document of a review's family liaison strategy.
create function family_liaison_document(f family_liaison) returns json language plpgsql stable as $$
begin
    return json_build_object(
        'case_id', f.case_id,
        'lead_role', f.lead_role,
        'strategy_agreed_on', f.strategy_agreed_on,
        'leaflet_given_on', f.leaflet_given_on,
        'coordinated_with_police', f.coordinated_with_police,
        'interpreter_needed', f.interpreter_needed,
        'advocacy_needed', f.advocacy_needed,
        'note', f.note,
        'restrictions', case_restrictions(f.case_id, 'family_invitation'),
        'created_at', rendered(f.created_at),
        'updated_at', rendered(f.updated_at),
        'version', f.version,
        'etag', entity_tag(f.version),
        'links', json_build_object(
            'self', '/v1/cases/' || f.case_id || '/family-liaison',
            'case', '/v1/cases/' || f.case_id));
end
$$;

-- Creates or replaces the family liaison strategy (201 or 200); `create_only` means that If-None-Match: * was sent.
-- Refuses with 409 before the decision to proceed, and with 422 days out of order. Guidance 2024, annex 4.
create function family_liaison_put(p_case uuid, create_only boolean, expected bigint, input jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock(p_case, null);
    f family_liaison;
    n family_liaison := jsonb_populate_record(null::family_liaison, input);
    known boolean;
begin
    select * into f from family_liaison where case_id = c.id for update;
    known := found;
    perform refuse_put(create_only, expected, f.version);
    perform case_refuse_closed(c);
    perform refuse_before_set_up(c);
    perform refuse_restricted_day(c, 'family_information', '/leaflet_given_on', f.leaflet_given_on, n.leaflet_given_on);
    perform refuse_faults(variadic review_day_faults('/strategy_agreed_on', n.strategy_agreed_on, c)
        || review_day_faults('/leaflet_given_on', n.leaflet_given_on, c));
    if known then
        update family_liaison set lead_role = n.lead_role, strategy_agreed_on = n.strategy_agreed_on,
                leaflet_given_on = n.leaflet_given_on, coordinated_with_police = n.coordinated_with_police,
                note = n.note, interpreter_needed = n.interpreter_needed, advocacy_needed = n.advocacy_needed
            where case_id = c.id returning * into f;
    else
        n.case_id := c.id;
        n.committee := c.committee;
        f := insert_row(n);
    end if;
    return (case when known then 200 else 201 end, f.version, null, family_liaison_document(f))::reply;
end
$$;

-- The mandate of the review must be agreed. Guidance 2024, chapter 1.
create function guard_mandate_agreed(c review_case) returns boolean language plpgsql stable as $$
begin
    return exists (select from mandate m where m.case_id = c.id and m.agreed_on is not null);
end
$$;

-- The mandate must contain a plan for the support of staff. Guidance 2021, chapter 2.
create function guard_staff_support_planned(c review_case) returns boolean
language plpgsql stable as $$
begin
    return exists (select from mandate m where m.case_id = c.id and m.staff_support_plan);
end
$$;

-- The review team must have a chair and a reviewer. Guidance 2021, annex 5.
create function guard_team_appointed(c review_case) returns boolean language plpgsql stable as $$
begin
    return (select count(distinct m.role) = 2 from team_member m
        where m.case_id = c.id and m.ended_on is null and m.role in ('chair', 'reviewer'));
end
$$;

-- The review team must have members of at least two organisations. Guidance 2021, chapter 2.
create function guard_team_multi_agency(c review_case) returns boolean language plpgsql stable as $$
begin
    return (select count(distinct m.organisation) >= 2 from team_member m
        where m.case_id = c.id and m.ended_on is null);
end
$$;

-- The family liaison strategy must be agreed. Guidance 2024, annex 4.
create function guard_family_liaison_agreed(c review_case) returns boolean
language plpgsql stable as $$
begin
    return exists (select from family_liaison f where f.case_id = c.id and f.strategy_agreed_on is not null);
end
$$;
