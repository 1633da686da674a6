-- The findings of the review, and the strategies that it suggests. The review team records both.

-- The document of a finding.
create function finding_document(f finding) returns json language plpgsql stable as $$
begin
    return json_build_object(
        'id', f.id,
        'case_id', f.case_id,
        'kind', f.kind,
        'statement', f.statement,
        'practice_area', f.practice_area,
        'themes', f.themes,
        'factors', f.factors,
        'recorded_by', f.recorded_by,
        'created_at', rendered(f.created_at),
        'updated_at', rendered(f.updated_at),
        'version', f.version,
        'etag', entity_tag(f.version),
        'links', json_build_object(
            'self', '/v1/cases/' || f.case_id || '/findings/' || f.id,
            'case', '/v1/cases/' || f.case_id));
end
$$;

-- Adds a finding (201). Refuses with 404 or 409 a case that is not open to the caller, and with 409 a case before the
-- stage review.
create function finding_add(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
    f finding := jsonb_populate_record(null::finding, input);
begin
    perform case_refuse_before(c, 'review', 'before_review', 'Findings are recorded from the stage review on.');
    f.id := uuid_v7();
    f.committee := c.committee;
    f.case_id := c.id;
    f.recorded_by := claim('organisation');
    f := insert_row(f);
    return (201, f.version, '/v1/cases/' || c.id || '/findings/' || f.id, finding_document(f))::reply;
end
$$;

-- Changes a finding of an open case; refuses with 404, 409, 412 or 428.
create function finding_change(p_case uuid, p_id uuid, expected bigint, change jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
    f finding;
    n finding;
begin
    select * into f from finding where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, f.version);
    n := jsonb_populate_record(f, change);
    update finding set kind = n.kind, statement = n.statement, practice_area = n.practice_area, themes = n.themes,
            factors = n.factors
        where id = p_id returning * into f;
    return (200, f.version, null, finding_document(f))::reply;
end
$$;

-- The document of a suggested strategy.
create function strategy_document(s strategy) returns json language plpgsql stable as $$
begin
    return json_build_object(
        'id', s.id,
        'case_id', s.case_id,
        'case_for_change', s.case_for_change,
        'learning_orientation', s.learning_orientation,
        'evidence', s.evidence,
        'responsible_organisation', s.responsible_organisation,
        'review_on', s.review_on,
        'findings', s.findings,
        'recorded_by', s.recorded_by,
        'created_at', rendered(s.created_at),
        'updated_at', rendered(s.updated_at),
        'version', s.version,
        'etag', entity_tag(s.version),
        'links', json_build_object(
            'self', '/v1/cases/' || s.case_id || '/strategies/' || s.id,
            'case', '/v1/cases/' || s.case_id));
end
$$;

-- Returns the faults of a strategy: an unknown organisation, a day of review before the case was opened, a finding of
-- another case. Guidance 2024, chapter 5.
create function strategy_faults(c review_case, s strategy) returns json[] language plpgsql stable as $$
begin
    return array[
        organisation_fault('/responsible_organisation', s.responsible_organisation),
        early_fault('/review_on', s.review_on, c.opened_on, 'the case was opened'),
        case when exists (select from unnest(s.findings) named
                where not exists (select from finding f where f.id = named and f.case_id = c.id)) then
            fault('/findings', 'unknown_finding', 'contains a finding of another case') end];
end
$$;

-- Adds a suggested strategy (201). Refuses with 409 a case before the stage review, and with 422 what strategy_faults
-- returns.
create function strategy_add(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
    s strategy := jsonb_populate_record(null::strategy, input);
begin
    perform case_refuse_before(c, 'review', 'before_review', 'Strategies are recorded from the stage review on.');
    perform refuse_faults(variadic strategy_faults(c, s));
    s.id := uuid_v7();
    s.committee := c.committee;
    s.case_id := c.id;
    s.recorded_by := claim('organisation');
    s := insert_row(s);
    return (201, s.version, '/v1/cases/' || c.id || '/strategies/' || s.id, strategy_document(s))::reply;
end
$$;

-- Changes a strategy of an open case; refuses with 404, 409, 412, 428, or 422 for what strategy_faults returns.
create function strategy_change(p_case uuid, p_id uuid, expected bigint, change jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
    s strategy;
    n strategy;
begin
    select * into s from strategy where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, s.version);
    n := jsonb_populate_record(s, change);
    perform refuse_faults(variadic strategy_faults(c, n));
    update strategy set case_for_change = n.case_for_change, learning_orientation = n.learning_orientation,
            evidence = n.evidence, responsible_organisation = n.responsible_organisation, review_on = n.review_on,
            findings = n.findings
        where id = p_id returning * into s;
    return (200, s.version, null, strategy_document(s))::reply;
end
$$;

-- At least one finding must be recorded. Care Inspectorate, learning reviews, 2024.
create function guard_learning_recorded(c review_case) returns boolean language plpgsql stable as $$
begin
    return exists (select from finding f where f.case_id = c.id);
end
$$;
