-- The recommendation, and the committee's decisions: one current decision, and those that it superseded.

-- The document of the recommendation on a case.
create function recommendation_document(r recommendation) returns json language sql stable as $$
    select json_build_object(
        'case_id', r.case_id,
        'made_on', r.made_on,
        'made_by', r.made_by,
        'recommended', r.recommended,
        'criteria_met', r.criteria_met,
        'current_circumstances_recorded', r.current_circumstances_recorded,
        'other_processes_considered', r.other_processes_considered,
        'expected_learning', r.expected_learning,
        'support_needed', r.support_needed,
        'proposed_scope', r.proposed_scope,
        'recorded_at', rendered(r.created_at),
        'updated_at', rendered(r.updated_at),
        'version', r.version,
        'etag', entity_tag(r.version),
        'links', json_build_object(
            'self', '/v1/cases/' || r.case_id || '/recommendation',
            'case', '/v1/cases/' || r.case_id))
$$;

-- Returns the faults of the criteria in a recommendation or decision: none named although the outcome is `proceed`, or
-- one that the facts do not support. Guidance 2024, chapter 2.
create function criteria_faults(c review_case, outcome text, criteria text[]) returns json[]
language plpgsql stable as $$
begin
    return array[
        case when outcome = 'proceed' and cardinality(criteria) = 0 then
            fault('/criteria_met', 'criterion_required', 'must name at least one criterion that is met') end,
        criteria_fault('/criteria_met', criteria, case_facts(c.id))];
end
$$;

-- Creates or replaces the recommendation of a case (201 or 200). Refuses with 409 outside the stages recommendation and
-- decision, and with 422 a day out of order or wrong criteria. Guidance 2021, chapter 3.
create function recommendation_put(p_case uuid, create_only boolean, expected bigint, input jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock(p_case, null);
    r recommendation;
    n recommendation := jsonb_populate_record(null::recommendation, input);
    known boolean;
    earliest date;
    decided date;
begin
    select * into r from recommendation where case_id = c.id for update;
    known := found;
    perform refuse_put(create_only, expected, r.version);
    if c.stage not in ('recommendation', 'decision') then
        perform conflict('not_in_stage_recommendation',
            'A recommendation can only be recorded in the stages recommendation and decision.');
    end if;
    select min(s.entered_on) into earliest from case_stage s
        where s.case_id = c.id and s.stage = 'recommendation';
    select d.decided_on into decided from case_decision d join case_stage s on s.case_id = d.case_id
        where d.case_id = c.id and d.current and s.left_on is null and d.visit = s.sequence;
    perform refuse_faults(variadic criteria_faults(c, n.recommended, n.criteria_met) || array[
        future_fault('/made_on', n.made_on),
        early_fault('/made_on', n.made_on, coalesce(earliest, c.opened_on),
            'the stage recommendation was entered'),
        case when n.made_on > decided then
            fault('/made_on', 'date_order', 'must not be after the decision') end]);
    if known then
        update recommendation set made_on = n.made_on, made_by = n.made_by, recommended = n.recommended,
                criteria_met = n.criteria_met, current_circumstances_recorded = n.current_circumstances_recorded,
                other_processes_considered = n.other_processes_considered, expected_learning = n.expected_learning,
                support_needed = n.support_needed, proposed_scope = n.proposed_scope
            where case_id = c.id returning * into r;
    else
        n.case_id := c.id;
        n.committee := c.committee;
        n.recorded_by := claim('organisation');
        r := insert_row(n);
    end if;
    return (case when known then 200 else 201 end, r.version, null, recommendation_document(r))::reply;
end
$$;

-- A recommendation must be recorded, and it must describe the current circumstances of the children and the family. One
-- that was made before the case was last re-opened does not count. Guidance 2021, chapter 3.
create function guard_recommendation_made(c review_case) returns boolean
language plpgsql stable as $$
begin
    return exists (select from recommendation r
        where r.case_id = c.id and r.current_circumstances_recorded and r.made_on >= case_opened_last(c)
            and not exists (select from case_stage closed join case_stage s on s.case_id = closed.case_id
                    and s.sequence = closed.sequence + 1
                where closed.case_id = c.id and closed.stage = 'closed' and s.recorded_at >= r.updated_at));
end
$$;

-- The document of a decision, for callers who may read its case.
create function decision_document(d case_decision) returns json language sql stable as $$
    select json_build_object(
        'id', d.id,
        'case_id', d.case_id,
        'supersedes', d.supersedes,
        'outcome', d.outcome,
        'decided_on', d.decided_on,
        'reasons', d.reasons,
        'alternative_kind', d.alternative_kind,
        'alternative_owner', d.alternative_owner,
        'criteria_met', d.criteria_met,
        'criteria_no_bearing', d.criteria_no_bearing,
        'no_bearing_reason', d.no_bearing_reason,
        'decided_by', d.decided_by,
        'unanimous', d.unanimous,
        'note', d.note,
        'family_informed_on', d.family_informed_on,
        'family_wait_reason', d.family_wait_reason,
        'chief_officers_informed_on', d.chief_officers_informed_on,
        'recorded_at', rendered(d.recorded_at),
        'version', d.version,
        'etag', entity_tag(d.version),
        'links', json_build_object(
            'self', '/v1/cases/' || d.case_id || '/decision',
            'case', '/v1/cases/' || d.case_id))
$$;

-- The document of a decision for the inspectorate: no free text, no identifier of the case, children as bands.
create function decision_summary(d case_decision) returns json language plpgsql stable as $$
declare
    outline record := case_outline(d.case_id);
begin
    return json_build_object(
        'id', d.id,
        'supersedes', d.supersedes,
        'case_reference', outline.reference,
        'committee', d.committee,
        'review_type', outline.review_type,
        'outcome', d.outcome,
        'decided_on', d.decided_on,
        'reasons', d.reasons,
        'criteria_met', d.criteria_met,
        'criteria_no_bearing', d.criteria_no_bearing,
        'alternative_kind', d.alternative_kind,
        'children', outline.children,
        'recorded_at', rendered(d.updated_at),
        'version', d.version,
        'etag', entity_tag(d.version));
end
$$;

-- Returns the faults of the decision itself; `entered` is the day on which the present stay in the stage began. A
-- decision not to proceed needs reasons; an alternative review needs a kind and an owner. Care Inspectorate, learning
-- reviews, 2024.
create function decision_faults(c review_case, n case_decision, entered date) returns json[]
language plpgsql stable as $$
declare
    alternative boolean := n.outcome = 'alternative_review';
    recommended_on date := (select r.made_on from recommendation r where r.case_id = c.id);
begin
    return criteria_faults(c, n.outcome, n.criteria_met) || array[
        future_fault('/decided_on', n.decided_on),
        coalesce(early_fault('/decided_on', n.decided_on, entered, 'the stage decision was entered'),
            early_fault('/decided_on', n.decided_on, recommended_on, 'the recommendation was made')),
        case when alternative and n.alternative_kind is null then
            fault('/alternative_kind', 'required_for_alternative', 'is required for an alternative review') end,
        case when not alternative and n.alternative_kind is not null then
            fault('/alternative_kind', 'only_for_alternative', 'is only allowed for an alternative review') end,
        case when alternative and n.alternative_owner is null then
            fault('/alternative_owner', 'required_for_alternative', 'is required for an alternative review') end,
        case when not alternative and n.alternative_owner is not null then
            fault('/alternative_owner', 'only_for_alternative', 'is only allowed for an alternative review') end,
        organisation_fault('/alternative_owner', n.alternative_owner),
        case when n.outcome <> 'proceed' and cardinality(n.reasons) = 0 then
            fault('/reasons', 'reasons_required', 'must contain at least one reason') end,
        case when n.criteria_no_bearing && n.criteria_met then
            fault('/criteria_no_bearing', 'criterion_met', 'contains a criterion of criteria_met') end,
        case when cardinality(n.criteria_no_bearing) > 0 and n.no_bearing_reason is null then
            fault('/no_bearing_reason', 'reason_required', 'is required with criteria_no_bearing') end,
        case when cardinality(n.criteria_no_bearing) = 0 and n.no_bearing_reason is not null then
            fault('/no_bearing_reason', 'only_without_bearing',
                'is only allowed with criteria that have no bearing') end];
end
$$;

-- Returns the faults of the days on which the family and the chief officers were informed: in the future, or before the
-- decision.
create function informing_faults(n case_decision) returns json[] language plpgsql stable as $$
begin
    return array[
        future_fault('/family_informed_on', n.family_informed_on),
        early_fault('/family_informed_on', n.family_informed_on, n.decided_on, 'decided_on'),
        future_fault('/chief_officers_informed_on', n.chief_officers_informed_on),
        early_fault('/chief_officers_informed_on', n.chief_officers_informed_on, n.decided_on, 'decided_on')];
end
$$;

-- Whether the input changes only the members about informing family and chief officers, and nothing of the decision
-- itself.
create function only_informs(d case_decision, input jsonb) returns boolean
language plpgsql stable as $$
declare
    difference jsonb := row_difference(to_jsonb(d), to_jsonb(d) || input);
    informing constant text[] := '{family_informed_on,family_wait_reason,chief_officers_informed_on}';
begin
    return difference <> '{}' and difference - informing = '{}';
end
$$;

-- Records a decision, or replaces the one that the present stay in the stage decision already brought (201 or 200), and
-- makes its notices. Refuses with 409 after the stage, except for the members about informing others. Guidance 2024,
-- chapter 1.
create function decision_put(p_case uuid, create_only boolean, expected bigint, input jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock(p_case, null);
    s case_stage;
    d case_decision;
    n case_decision := jsonb_populate_record(null::case_decision, input);
    known boolean;
begin
    select * into d from case_decision where case_id = c.id and current for update;
    known := found;
    perform refuse_put(create_only, expected, d.version);
    if c.stage <> 'decision' and (c.decision_outcome is null or c.stage = 'closed'
            or not coalesce(only_informs(d, input), false)) then
        perform conflict('not_in_stage_decision',
            'A decision can only be recorded in the stage decision. Later only the members about '
            || 'informing family and chief officers can change.');
    end if;
    select * into s from case_stage where case_id = c.id and left_on is null;
    perform refuse_faults(variadic informing_faults(n)
        || case when c.stage = 'decision' then decision_faults(c, n, s.entered_on) end);
    if known and (c.stage <> 'decision' or d.visit = s.sequence) then
        update case_decision set outcome = n.outcome, decided_on = n.decided_on, reasons = n.reasons,
                alternative_kind = n.alternative_kind, alternative_owner = n.alternative_owner,
                criteria_met = n.criteria_met, criteria_no_bearing = n.criteria_no_bearing,
                no_bearing_reason = n.no_bearing_reason, decided_by = n.decided_by, unanimous = n.unanimous,
                note = n.note, family_informed_on = n.family_informed_on, family_wait_reason = n.family_wait_reason,
                chief_officers_informed_on = n.chief_officers_informed_on
            where id = d.id returning * into d;
    else
        -- Versions continue to count, so that no ETag of the address occurs twice.
        n.version := coalesce(d.version, 0) + 1;
        n.supersedes := d.id;
        update case_decision set current = false where id = d.id;
        n.id := uuid_v7();
        n.committee := c.committee;
        n.case_id := c.id;
        n.visit := s.sequence;
        d := insert_row(n);
    end if;
    if c.stage = 'decision' then
        update review_case set decision_outcome = d.outcome where id = c.id returning * into c;
        update referral set case_decision = d.outcome where case_id = c.id;
        perform notices_make(c, 'decision', d.decided_on);
    end if;
    return (case when known then 200 else 201 end, d.version, null, decision_document(d))::reply;
end
$$;

-- Returns the decision that applies to the present way of the case through the stages; nulls before it is made.
create function case_decision_in_force(c review_case) returns case_decision language plpgsql stable as $$
declare
    d case_decision;
begin
    select * into d from case_decision x where x.case_id = c.id and x.current and c.decision_outcome is not null;
    return d;
end
$$;

-- The family must be informed of the decision, or the decision must say why that waits. Guidance 2024, annex 4.
create function guard_family_informed(c review_case) returns boolean
language plpgsql stable as $$
begin
    return exists (select from case_decision d where d.case_id = c.id and d.current
        and (d.family_informed_on is not null or d.family_wait_reason is not null));
end
$$;
