-- The end of a case: the evaluation of what the actions achieved, or the agreement to discontinue.

-- The document of a case's evaluation.
create function evaluation_document(e evaluation) returns json language plpgsql stable as $$
begin
    return json_build_object(
        'case_id', e.case_id,
        'evaluated_on', e.evaluated_on,
        'outcome', e.outcome,
        'summary', e.summary,
        'next_review_on', e.next_review_on,
        'created_at', rendered(e.created_at),
        'updated_at', rendered(e.updated_at),
        'version', e.version,
        'etag', entity_tag(e.version),
        'links', json_build_object(
            'self', '/v1/cases/' || e.case_id || '/evaluation',
            'case', '/v1/cases/' || e.case_id));
end
$$;

-- Creates or replaces the evaluation (201 or 200); `create_only` means that If-None-Match: * was sent. Refuses with 409
-- outside the stage evaluation, and with 422 days out of order. Guidance 2024, chapter 5.
create function evaluation_put(p_case uuid, create_only boolean, expected bigint, input jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    e evaluation;
    n evaluation := jsonb_populate_record(null::evaluation, input);
    known boolean;
begin
    select * into e from evaluation where case_id = c.id for update;
    known := found;
    perform refuse_put(create_only, expected, e.version);
    if c.stage <> 'evaluation' then
        perform conflict('not_in_stage_evaluation', 'An evaluation can only be recorded in the stage evaluation.');
    end if;
    perform refuse_faults(
        future_fault('/evaluated_on', n.evaluated_on),
        early_fault('/evaluated_on', n.evaluated_on, c.stage_entered_on, 'the stage evaluation was entered'),
        early_fault('/next_review_on', n.next_review_on, n.evaluated_on + 1, 'the day after evaluated_on'));
    n.recorded_by := claim('organisation');
    if known then
        update evaluation set evaluated_on = n.evaluated_on, outcome = n.outcome, summary = n.summary,
                next_review_on = n.next_review_on, recorded_by = n.recorded_by
            where case_id = c.id returning * into e;
    else
        n.case_id := c.id;
        n.committee := c.committee;
        e := insert_row(n);
    end if;
    return (case when known then 200 else 201 end, e.version, null, evaluation_document(e))::reply;
end
$$;

-- The document of the agreement to discontinue a case.
create function discontinuation_document(d discontinuation) returns json
language plpgsql stable as $$
begin
    return json_build_object(
        'case_id', d.case_id,
        'committee_agreed_on', d.committee_agreed_on,
        'chief_officers_agreed_on', d.chief_officers_agreed_on,
        'reason', d.reason,
        'created_at', rendered(d.created_at),
        'updated_at', rendered(d.updated_at),
        'version', d.version,
        'etag', entity_tag(d.version),
        'links', json_build_object(
            'self', '/v1/cases/' || d.case_id || '/discontinuation',
            'case', '/v1/cases/' || d.case_id));
end
$$;

-- Returns the day from which an agreement to discontinue counts: the last re-opening, else the opening. An agreement
-- that closed the case before does not apply to closing it again.
create function case_opened_last(c review_case) returns date language plpgsql stable as $$
begin
    return coalesce((select max(s.left_on) from case_stage s where s.case_id = c.id and s.stage = 'closed'),
        c.opened_on);
end
$$;

-- Creates or replaces the agreement to discontinue (201 or 200); `create_only` means that If-None-Match: * was sent.
-- Refuses with 409 a closed case, and with 422 days in the future or before the case was last opened.
create function discontinuation_put(p_case uuid, create_only boolean, expected bigint, input jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    d discontinuation;
    n discontinuation := jsonb_populate_record(null::discontinuation, input);
    known boolean;
begin
    select * into d from discontinuation where case_id = c.id for update;
    known := found;
    perform refuse_put(create_only, expected, d.version);
    perform refuse_faults(
        future_fault('/committee_agreed_on', n.committee_agreed_on),
        future_fault('/chief_officers_agreed_on', n.chief_officers_agreed_on),
        early_fault('/committee_agreed_on', n.committee_agreed_on, case_opened_last(c),
            'the case was last opened'),
        early_fault('/chief_officers_agreed_on', n.chief_officers_agreed_on, case_opened_last(c),
            'the case was last opened'));
    n.recorded_by := claim('organisation');
    if known then
        update discontinuation set committee_agreed_on = n.committee_agreed_on,
                chief_officers_agreed_on = n.chief_officers_agreed_on, reason = n.reason, recorded_by = n.recorded_by
            where case_id = c.id returning * into d;
    else
        n.case_id := c.id;
        n.committee := c.committee;
        d := insert_row(n);
    end if;
    return (case when known then 200 else 201 end, d.version, null, discontinuation_document(d))::reply;
end
$$;

-- An evaluation of the present stay in the stage must be recorded. Guidance 2024, chapter 5.
create function guard_evaluation_recorded(c review_case) returns boolean language plpgsql stable as $$
begin
    return exists (select from evaluation e where e.case_id = c.id and e.evaluated_on >= c.stage_entered_on);
end
$$;

-- Committee and chief officers must both have agreed to discontinue since the case was last opened.
create function guard_discontinuation_agreed(c review_case) returns boolean
language plpgsql stable as $$
begin
    return exists (select from discontinuation d where d.case_id = c.id
        and d.committee_agreed_on >= case_opened_last(c)
        and d.chief_officers_agreed_on >= case_opened_last(c));
end
$$;
