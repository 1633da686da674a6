-- The publication of a report, and the dissemination of its learning: a track of its own from ratification on.

-- Returns the status of a publication, derived from its days and form and from holds that delay it.
create function publication_status(p publication) returns text language plpgsql stable as $$
declare
    c review_case;
begin
    select * into c from review_case where id = p.case_id;
    return case when p.removed_on is not null then 'removed'
        when p.published_on is not null then 'published'
        when p.form is null then 'not_decided'
        when p.form = 'not_published' then 'not_published'
        when publication_held(c) then 'awaiting_hold'
        else 'decided' end;
end
$$;

-- The document of a case's publication.
create function publication_document(p publication) returns json language plpgsql stable as $$
begin
    return json_build_object(
        'case_id', p.case_id,
        'status', publication_status(p),
        'form', p.form,
        'decided_on', p.decided_on,
        'reason', p.reason,
        'reporting_restrictions_checked', p.reporting_restrictions_checked,
        'family_told_on', p.family_told_on,
        'practitioners_told_on', p.practitioners_told_on,
        'prosecution_sight_on', p.prosecution_sight_on,
        'intended_on', p.intended_on,
        'published_on', p.published_on,
        'url', p.url,
        'removed_on', p.removed_on,
        'removal_reason', p.removal_reason,
        'anonymisation_checked_on', p.anonymisation_checked_on,
        'restrictions', case_restrictions(p.case_id, 'publication', 'family_information'),
        'created_at', rendered(p.created_at),
        'updated_at', rendered(p.updated_at),
        'version', p.version,
        'etag', entity_tag(p.version),
        'links', json_build_object(
            'self', '/v1/cases/' || p.case_id || '/publication',
            'case', '/v1/cases/' || p.case_id));
end
$$;

-- Whether the committee decided to publish the report in some form.
create function publication_is_decided(p publication) returns boolean language sql immutable as $$
    select coalesce(p.form <> 'not_published', false)
$$;

-- Returns the conditions of publication that are not met: a form, the anonymisation check, the check of reporting
-- restrictions, family and practitioners informed, and sight by the prosecution while proceedings are open. Empty
-- without a day of publication.
create function publication_readiness_faults(n publication) returns json[]
language plpgsql stable as $$
begin
    return case when n.published_on is null then '{}'::json[] else array[
        case when not publication_is_decided(n) then
            fault('/published_on', 'only_for_a_form', 'needs a form other than not_published') end,
        case when n.anonymisation_checked_on is null then
            fault('/published_on', 'anonymisation_check_required',
                'needs the anonymisation check') end,
        case when not n.reporting_restrictions_checked then
            fault('/reporting_restrictions_checked', 'restrictions_check_required',
                'is needed before publication') end,
        case when n.family_told_on is null then
            fault('/family_told_on', 'family_told_required', 'is needed before publication') end,
        case when n.practitioners_told_on is null then
            fault('/practitioners_told_on', 'practitioners_told_required', 'is needed before publication') end,
        case when n.prosecution_sight_on is null and case_has_open_proceedings(n.case_id) then
            fault('/prosecution_sight_on', 'prosecution_sight_required',
                'is needed before publication while proceedings are open') end]
        end;
end
$$;

-- Returns all faults of a publication: conditions that are not met, days out of order, missing or excess reasons.
create function publication_faults(n publication, ratified date) returns json[]
language plpgsql stable as $$
begin
    return publication_readiness_faults(n) || array[
        future_fault('/decided_on', n.decided_on),
        early_fault('/decided_on', n.decided_on, ratified, 'the report was ratified'),
        case when n.form is null and n.decided_on is not null then
            fault('/form', 'form_required', 'is required with decided_on') end,
        case when n.form is not null and n.decided_on is null then
            fault('/decided_on', 'decision_day_required', 'is required with form') end,
        case when n.form = 'not_published' and n.reason is null then
            fault('/reason', 'reason_required', 'is required when form is not_published') end,
        future_fault('/family_told_on', n.family_told_on),
        future_fault('/practitioners_told_on', n.practitioners_told_on),
        future_fault('/prosecution_sight_on', n.prosecution_sight_on),
        early_fault('/intended_on', n.intended_on, n.decided_on, 'decided_on'),
        future_fault('/published_on', n.published_on),
        early_fault('/published_on', n.published_on, n.decided_on, 'decided_on'),
        case when n.url is not null and n.published_on is null then
            fault('/url', 'only_when_published', 'is only allowed after publication') end,
        future_fault('/removed_on', n.removed_on),
        early_fault('/removed_on', n.removed_on, n.published_on, 'published_on'),
        case when n.removed_on is not null and n.published_on is null then
            fault('/removed_on', 'only_when_published', 'is only allowed after publication') end,
        case when n.removed_on is not null and n.removal_reason is null then
            fault('/removal_reason', 'reason_required', 'is required with removed_on') end,
        case when n.removed_on is null and n.removal_reason is not null then
            fault('/removal_reason', 'only_when_removed', 'is only allowed after removal') end];
end
$$;

-- Refuses with 409 `not_ratified` if the report has no day of ratification.
create function refuse_unless_ratified(ratified date) returns void language plpgsql as $$
begin
    if ratified is null then
        perform conflict('not_ratified', 'The chief officers must ratify the report first.');
    end if;
end
$$;

-- Returns the digest of the report's document; null if there is no report or digest.
create function report_digest(p_case uuid) returns text language plpgsql stable as $$
begin
    return (select r.document_digest from report r where r.case_id = p_case);
end
$$;

-- Creates or replaces the publication (201 or 200); `create_only` means that If-None-Match: * was sent. Refuses with
-- 409 while a hold or a restriction forbids publication, and anything new on a closed case or an unratified report. A
-- published report can be taken down at any time.
create function publication_put(p_case uuid, create_only boolean, expected bigint, input jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock(p_case, null);
    ratified date := case_ratified_on(c);
    p publication;
    n publication := jsonb_populate_record(null::publication, input);
    known boolean;
begin
    select * into p from publication where case_id = c.id for update;
    known := found;
    perform refuse_put(create_only, expected, p.version);
    n.case_id := c.id;
    if p.published_on is null or n.published_on is distinct from p.published_on then
        perform case_refuse_closed(c);
        perform refuse_unless_ratified(ratified);
    end if;
    if n.published_on is distinct from p.published_on and n.published_on is not null
            and publication_held(c) then
        perform conflict_at('/published_on', 'publication_held',
            'A hold on publication or dissemination must be lifted first.');
    end if;
    perform refuse_restricted_day(c, 'publication', '/published_on', p.published_on, n.published_on);
    perform refuse_restricted_day(c, 'family_information', '/family_told_on', p.family_told_on, n.family_told_on);
    -- The check applies to the form decided and to the report as it was. Another form or report must be checked again,
    -- unless it is already published.
    if n.form is not distinct from p.form and (p.published_on = n.published_on
            or p.anonymisation_checked_digest is not distinct from report_digest(c.id)) then
        n.anonymisation_checked_on := p.anonymisation_checked_on;
        n.anonymisation_checked_by := p.anonymisation_checked_by;
        n.anonymisation_checked_digest := p.anonymisation_checked_digest;
    end if;
    perform refuse_faults(variadic publication_faults(n, ratified));
    n.written_by := claim('client');
    n.recorded_by := claim('organisation');
    if known then
        update publication set form = n.form, decided_on = n.decided_on, reason = n.reason,
                reporting_restrictions_checked = n.reporting_restrictions_checked, family_told_on = n.family_told_on,
                practitioners_told_on = n.practitioners_told_on, prosecution_sight_on = n.prosecution_sight_on,
                intended_on = n.intended_on, published_on = n.published_on, url = n.url, removed_on = n.removed_on,
                removal_reason = n.removal_reason, anonymisation_checked_on = n.anonymisation_checked_on,
                anonymisation_checked_by = n.anonymisation_checked_by,
                anonymisation_checked_digest = n.anonymisation_checked_digest, written_by = n.written_by,
                recorded_by = n.recorded_by
            where case_id = c.id returning * into p;
    else
        n.committee := c.committee;
        p := insert_row(n);
    end if;
    return (case when known then 200 else 201 end, p.version, null, publication_document(p))::reply;
end
$$;

-- Records that the report was checked for anonymity (201). Refuses with 409 if no publication is decided, or if the
-- client wrote part of it: another client must check. With 422 a day before the draft or in the future.
create function anonymisation_check(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    p publication;
    on_day date := (input ->> 'checked_on')::date;
begin
    select * into p from publication where case_id = c.id for update;
    if not publication_is_decided(p) then
        perform conflict('nothing_to_publish', 'There is nothing to publish, so nothing to check.');
    end if;
    if has_written(c, 'publication',
            '{anonymisation_checked_on,anonymisation_checked_by,anonymisation_checked_digest}') then
        perform conflict('separation_of_duties', 'A client that prepared the publication cannot check it.');
    end if;
    perform refuse_faults(
        future_fault('/checked_on', on_day),
        early_fault('/checked_on', on_day, (select r.drafted_on from report r where r.case_id = c.id),
            'the report was drafted'));
    update publication set anonymisation_checked_on = on_day, anonymisation_checked_by = claim('client'),
            anonymisation_checked_digest = report_digest(c.id)
        where case_id = c.id returning * into p;
    return (201, p.version, null, publication_document(p))::reply;
end
$$;

-- The document of one dissemination of the learning.
create function dissemination_document(d dissemination) returns json language plpgsql stable as $$
begin
    return json_build_object(
        'id', d.id,
        'case_id', d.case_id,
        'audience', d.audience,
        'level', d.level,
        'form', d.form,
        'disseminated_on', d.disseminated_on,
        'recorded_by', d.recorded_by,
        'recorded_at', rendered(d.recorded_at),
        'links', json_build_object('case', '/v1/cases/' || d.case_id));
end
$$;

-- Records a dissemination of the learning (201). Refuses with 409 before ratification or while a hold applies, and with
-- 422 a day before ratification or in the future. Guidance 2024, chapter 5.
create function dissemination_add(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    ratified date := case_ratified_on(c);
    d dissemination := jsonb_populate_record(null::dissemination, input);
begin
    perform refuse_unless_ratified(ratified);
    if case_held(c, 'dissemination') then
        perform conflict('dissemination_held', 'A hold on dissemination must be lifted first.');
    end if;
    perform refuse_faults(
        future_fault('/disseminated_on', d.disseminated_on),
        early_fault('/disseminated_on', d.disseminated_on, ratified, 'the report was ratified'));
    d.id := uuid_v7();
    d.committee := c.committee;
    d.case_id := c.id;
    d.recorded_by := claim('organisation');
    d := insert_row(d);
    return (201, null, null, dissemination_document(d))::reply;
end
$$;

-- The form of publication must be decided, which may be none.
create function guard_publication_decided(c review_case) returns boolean language plpgsql stable as $$
begin
    return exists (select from publication p where p.case_id = c.id and p.form is not null);
end
$$;

-- The report must be published, or the committee must have decided not to publish it.
create function guard_publication_ended(c review_case) returns boolean language plpgsql stable as $$
begin
    return exists (select from publication p where p.case_id = c.id
        and (p.published_on is not null or p.form = 'not_published'));
end
$$;
