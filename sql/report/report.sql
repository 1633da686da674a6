-- The milestones of the report, and the decision of the chief officers about it.

-- Whether the report may be written in the stage: review or reporting.
create function report_is_written_in(p_stage text) returns boolean language sql immutable as $$
    select p_stage in ('review', 'reporting')
$$;

-- Returns the chief officers' last decision on the present report. Returns nulls before a decision, and once the case
-- is back in a stage in which the report is written.
create function case_ratification(c review_case) returns ratification language plpgsql stable as $$
declare
    r ratification;
begin
    select * into r from ratification x
        where x.case_id = c.id
            and not exists (select from case_stage s
                where s.case_id = c.id and report_is_written_in(s.stage) and s.sequence > x.stage_sequence)
        order by x.id desc limit 1;
    return r;
end
$$;

-- Whether the caller's client ever wrote the part of a case, apart from the members in `beside`, which other functions
-- change. Runs as the owner: a caller whose duties must be separate may not read the record of changes.
create function has_written(c review_case, p_subject text, beside text[]) returns boolean
language plpgsql stable security definer set search_path from current as $$
begin
    return exists (select from change x where x.case_id = c.id and x.subject = p_subject
        and x.recorded_client = claim('client') and x.changes - beside <> '{}');
end
$$;

-- Returns the day on which the chief officers ratified the present report; null if they have not.
create function case_ratified_on(c review_case) returns date language plpgsql stable as $$
declare
    r ratification := case_ratification(c);
begin
    return case when r.outcome = 'ratified' then r.decided_on end;
end
$$;

-- The document of a case's report: its milestones and ratification, never its text.
create function report_document(p report) returns json language plpgsql stable as $$
declare
    self text := '/v1/cases/' || p.case_id;
    c review_case;
    r ratification;
    ratified date;
    duration integer;
begin
    select * into c from review_case where id = p.case_id;
    r := case_ratification(c);
    ratified := case_ratified_on(c);
    -- A case that was opened again may have a decision that is later than its ratification.
    select ratified - max(d.decided_on) into duration from case_decision d
        where d.case_id = p.case_id and d.decided_on <= ratified;
    return json_build_object(
        'case_id', p.case_id,
        'drafted_on', p.drafted_on,
        'accuracy_checked_on', p.accuracy_checked_on,
        'family_feedback_on', p.family_feedback_on,
        'prosecution_consulted_on', p.prosecution_consulted_on,
        'committee_agreed_on', p.committee_agreed_on,
        'sections', p.sections,
        'no_findings_reason', p.no_findings_reason,
        'no_strategies_reason', p.no_strategies_reason,
        'delay_reasons', p.delay_reasons,
        'document_digest', p.document_digest,
        'ratified_on', ratified,
        'ratification_outcome', r.outcome,
        'plan_considered_on', r.plan_considered_on,
        'duration_days', duration,
        'restrictions', case_restrictions(p.case_id, 'accuracy_check', 'family_feedback'),
        'created_at', rendered(p.created_at),
        'updated_at', rendered(p.updated_at),
        'version', p.version,
        'etag', entity_tag(p.version),
        'links', json_build_object('self', self || '/report', 'case', self,
            'ratification', self || '/ratification'));
end
$$;

-- Returns the faults of a report against its former row: days in the future or out of order, an agreement recorded by
-- another caller than the committee, and the digest of no stored report.
create function report_faults(c review_case, was report, n report) returns json[]
language plpgsql stable as $$
begin
    return array[
        future_fault('/drafted_on', n.drafted_on),
        future_fault('/accuracy_checked_on', n.accuracy_checked_on),
        future_fault('/family_feedback_on', n.family_feedback_on),
        future_fault('/prosecution_consulted_on', n.prosecution_consulted_on),
        future_fault('/committee_agreed_on', n.committee_agreed_on),
        early_fault('/drafted_on', n.drafted_on, c.opened_on, 'the case was opened'),
        early_fault('/accuracy_checked_on', n.accuracy_checked_on, n.drafted_on, 'drafted_on'),
        early_fault('/family_feedback_on', n.family_feedback_on, n.drafted_on, 'drafted_on'),
        early_fault('/prosecution_consulted_on', n.prosecution_consulted_on, n.drafted_on, 'drafted_on'),
        early_fault('/committee_agreed_on', n.committee_agreed_on,
            greatest(n.drafted_on, n.accuracy_checked_on), 'the draft and the check of its accuracy'),
        case when n.document_digest is distinct from was.document_digest then
            report_digest_fault(c, n.document_digest) end,
        case when n.drafted_on is null and coalesce(n.accuracy_checked_on, n.family_feedback_on,
                n.prosecution_consulted_on, n.committee_agreed_on) is not null then
            fault('/drafted_on', 'drafting_day_required', 'is required with the dates that follow it') end,
        case when n.committee_agreed_on is distinct from was.committee_agreed_on
                and c.committee is distinct from claim('committee') then
            fault('/committee_agreed_on', 'committee_only', 'is recorded by the committee') end];
end
$$;

-- Creates or replaces the report (201 or 200); `create_only` means that If-None-Match: * was sent. Refuses with 409
-- outside the stages review and reporting, to all but the committee a report that it agreed, and checks and feedback
-- that a restriction forbids; with 422 days out of order.
create function report_put(p_case uuid, create_only boolean, expected bigint, input jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
    p report;
    n report := jsonb_populate_record(null::report, input);
    known boolean;
begin
    select * into p from report where case_id = c.id for update;
    known := found;
    perform refuse_put(create_only, expected, p.version);
    if not report_is_written_in(c.stage) then
        perform conflict('not_in_stage_reporting',
            'The report can only be changed in the stages review and reporting.');
    end if;
    if p.committee_agreed_on is not null and c.committee is distinct from claim('committee') then
        perform conflict('agreed_by_committee', 'Only the committee can change a report that it agreed.');
    end if;
    perform refuse_restricted_day(c, 'accuracy_check', '/accuracy_checked_on', p.accuracy_checked_on,
        n.accuracy_checked_on);
    perform refuse_restricted_day(c, 'family_feedback', '/family_feedback_on', p.family_feedback_on,
        n.family_feedback_on);
    perform refuse_faults(variadic report_faults(c, p, n));
    n.agreed_by := case when n.committee_agreed_on is null then null
        when n.committee_agreed_on = p.committee_agreed_on then p.agreed_by else claim('client') end;
    n.written_by := claim('client');
    n.recorded_by := claim('organisation');
    if known then
        update report set drafted_on = n.drafted_on, accuracy_checked_on = n.accuracy_checked_on,
                family_feedback_on = n.family_feedback_on, prosecution_consulted_on = n.prosecution_consulted_on,
                committee_agreed_on = n.committee_agreed_on, sections = n.sections,
                no_findings_reason = n.no_findings_reason,
                no_strategies_reason = n.no_strategies_reason, delay_reasons = n.delay_reasons,
                document_digest = n.document_digest, written_by = n.written_by, agreed_by = n.agreed_by,
                recorded_by = n.recorded_by
            where case_id = c.id returning * into p;
    else
        n.case_id := c.id;
        n.committee := c.committee;
        p := insert_row(n);
    end if;
    return (case when known then 200 else 201 end, p.version, null, report_document(p))::reply;
end
$$;

-- Withdraws the committee's agreement to a report that comes back for changes: it must be agreed again.
create function report_reopen(c review_case) returns void language plpgsql as $$
begin
    update report set committee_agreed_on = null, agreed_by = null
        where case_id = c.id and committee_agreed_on is not null;
end
$$;

-- The document of the chief officers' decision about a report.
create function ratification_document(r ratification) returns json language plpgsql stable as $$
begin
    return json_build_object(
        'id', r.id,
        'case_id', r.case_id,
        'outcome', r.outcome,
        'decided_on', r.decided_on,
        'reason', r.reason,
        'plan_considered_on', r.plan_considered_on,
        'resource_issues_raised', r.resource_issues_raised,
        'recorded_by', r.recorded_by,
        'recorded_at', rendered(r.recorded_at),
        'links', json_build_object(
            'case', '/v1/cases/' || r.case_id,
            'report', '/v1/cases/' || r.case_id || '/report'));
end
$$;

-- Returns an open case to the chief officers responsible for its area, and blocks other changes of it. Refuses other
-- callers with 403, or with 404 if they do not see the case.
create function case_lock_as_chief_officers(p_case uuid) returns review_case language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
begin
    if claim('kind') is distinct from 'chief_officers_group' or claim('area') is distinct from c.committee then
        perform refuse(403, 'organisation_not_allowed');
    end if;
    return c;
end
$$;

-- Returns the faults of a decision about the report: days in the future or before the committee agreed, a missing or
-- excess reason.
create function ratification_faults(n ratification, agreed date) returns json[]
language plpgsql stable as $$
begin
    return array[
        future_fault('/decided_on', n.decided_on),
        early_fault('/decided_on', n.decided_on, agreed, 'the committee agreed the report'),
        future_fault('/plan_considered_on', n.plan_considered_on),
        early_fault('/plan_considered_on', n.plan_considered_on, agreed, 'the committee agreed the report'),
        case when n.outcome = 'changes_requested' and n.reason is null then
            fault('/reason', 'reason_required', 'is required when outcome is changes_requested') end,
        case when n.outcome = 'ratified' and n.reason is not null then
            fault('/reason', 'only_for_changes', 'is only allowed when outcome is changes_requested') end,
        case when n.outcome <> 'ratified' and n.plan_considered_on is not null then
            fault('/plan_considered_on', 'only_when_ratified', 'is only allowed when outcome is ratified') end];
end
$$;

-- Records that the chief officers ratified the report or requested changes (201); ratifying makes the outcome notices,
-- due after seven days. Refuses with 409 outside the stage ratification, a ratified report, and a client that wrote or
-- agreed the report. Care Inspectorate, reviews for adults.
create function ratification_add(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_as_chief_officers(p_case);
    p report;
    r ratification := case_ratification(c);
    n ratification := jsonb_populate_record(null::ratification, input);
begin
    if c.stage <> 'ratification' then
        perform conflict('not_in_stage_ratification', 'A report can only be ratified in the stage ratification.');
    end if;
    if r.outcome = 'ratified' then
        perform conflict('ratified_already', 'The report is already ratified.');
    end if;
    select * into p from report where case_id = c.id;
    if claim('client') = p.agreed_by or has_written(c, 'report', '{committee_agreed_on,agreed_by}') then
        perform conflict('separation_of_duties',
            'A client that wrote the report or recorded its agreement cannot ratify it.');
    end if;
    perform refuse_faults(variadic ratification_faults(n, p.committee_agreed_on));
    n.id := uuid_v7();
    n.committee := c.committee;
    n.case_id := c.id;
    n.stage_sequence := (select max(s.sequence) from case_stage s where s.case_id = c.id);
    n.recorded_by := claim('organisation');
    r := insert_row(n);
    if r.outcome = 'ratified' then
        perform notices_make(c, 'outcome', r.decided_on + 7);
    end if;
    return (201, null, null, ratification_document(r))::reply;
end
$$;

-- Records that the chief officers considered the action plan and whether they raised resource issues (201). Refuses
-- with 409 before ratification, and with 422 a day out of order. Guidance 2024, chapter 5.
create function plan_consider(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_as_chief_officers(p_case);
    r ratification := case_ratification(c);
    on_day date := (input ->> 'considered_on')::date;
begin
    if r.outcome is distinct from 'ratified' then
        perform conflict('not_ratified', 'The plan can only be considered after the report is ratified.');
    end if;
    perform refuse_faults(
        future_fault('/considered_on', on_day),
        early_fault('/considered_on', on_day,
            (select p.committee_agreed_on from report p where p.case_id = c.id),
            'the committee agreed the report'));
    update ratification set plan_considered_on = on_day,
            resource_issues_raised = (input ->> 'resource_issues_raised')::boolean
        where id = r.id returning * into r;
    return (201, null, null, ratification_document(r))::reply;
end
$$;

-- The report must be drafted with the six required sections. Guidance 2015, annex 5.
create function guard_report_drafted(c review_case) returns boolean language plpgsql stable as $$
begin
    return exists (select from report p where p.case_id = c.id and p.drafted_on is not null
        and p.sections @> '{core_data,introduction,review_process,facts,analysis,learning_points}');
end
$$;

-- The accuracy of the draft must be checked.
create function guard_accuracy_checked(c review_case) returns boolean language plpgsql stable as $$
begin
    return exists (select from report p where p.case_id = c.id and p.accuracy_checked_on is not null);
end
$$;

-- The committee must have agreed the report.
create function guard_report_agreed(c review_case) returns boolean language plpgsql stable as $$
begin
    return exists (select from report p where p.case_id = c.id and p.committee_agreed_on is not null);
end
$$;

-- While any proceedings are open, the bodies that lead them must be consulted on the report.
create function guard_prosecution_consulted(c review_case) returns boolean
language plpgsql stable as $$
begin
    return not case_has_open_proceedings(c.id)
        or exists (select from report r where r.case_id = c.id and r.prosecution_consulted_on is not null);
end
$$;

-- The review must have at least one finding, or the report must say why there is none. Guidance 2024, chapter 4.
create function guard_findings_or_reason(c review_case) returns boolean language plpgsql stable as $$
begin
    return guard_learning_recorded(c)
        or exists (select from report p where p.case_id = c.id and p.no_findings_reason is not null);
end
$$;

-- The review must suggest at least one strategy, or the report must say why there is none. Guidance 2024, chapter 5.
create function guard_strategies_or_reason(c review_case) returns boolean
language plpgsql stable as $$
begin
    return exists (select from strategy s where s.case_id = c.id)
        or exists (select from report p where p.case_id = c.id and p.no_strategies_reason is not null);
end
$$;

-- The chief officers must have ratified the present report. Care Inspectorate, reviews for adults.
create function guard_report_ratified(c review_case) returns boolean language plpgsql stable as $$
begin
    return case_ratified_on(c) is not null;
end
$$;

-- The chief officers must have requested changes to the present report.
create function guard_changes_requested(c review_case) returns boolean language plpgsql stable as $$
declare
    r ratification := case_ratification(c);
begin
    return coalesce(r.outcome = 'changes_requested', false);
end
$$;

-- The chief officers must have considered the action plan. Guidance 2024, chapter 5.
create function guard_plan_considered(c review_case) returns boolean language plpgsql stable as $$
declare
    r ratification := case_ratification(c);
begin
    return r.plan_considered_on is not null;
end
$$;
