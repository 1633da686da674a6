-- Information requests: the committee's questions to agencies before it decides, and their answers. Guidance 2021,
-- chapter 3.

-- Returns reference, type and children (as bands) of a case, for documents of its parts that organisations outside the
-- committee read; nulls and no children for any other caller. Runs as the owner: those organisations see nothing of the
-- case itself.
create function case_outline(p_case uuid, out reference text, out review_type text, out children jsonb)
language plpgsql stable security definer set search_path from current as $$
begin
    if not exists (select from review_case c where c.id = p_case and c.committee = claim('area'))
        and p_case <> all (readable_cases() || liaison_cases())
        and claim('kind') is distinct from 'inspectorate'
        and not exists (select from information_request i
            where i.case_id = p_case and i.organisation = own_organisation()) then
        children := '[]';
        return;
    end if;
    select c.reference, c.review_type into reference, review_type from review_case c where c.id = p_case;
    select coalesce(jsonb_agg(child_bands(k) order by k.id), '[]') into children
        from child k where k.case_id = p_case;
end
$$;

-- Whether the caller works on the case, and may therefore know its identifier.
create function knows_case(p_committee text, p_case uuid) returns boolean language sql stable as $$
    select p_committee = claim('area') or p_case = any (readable_cases())
$$;

-- Whether the request is open and its due day has passed.
create function information_is_overdue(r information_request) returns boolean language sql stable as $$
    select r.status = 'open' and r.due_on < today()
$$;

-- Whether an answer was due: the committee has neither waived nor withdrawn the request.
create function information_is_expected(status text) returns boolean language sql immutable as $$
    select status not in ('waived', 'withdrawn')
$$;

-- The document of an information request. It shows each child only by place in the list, outcome and age band. The
-- identifier of the case is null for the organisation asked.
create function information_document(r information_request) returns json
language plpgsql stable as $$
declare
    known boolean := knows_case(r.committee, r.case_id);
    outline record := case_outline(r.case_id);
begin
    return json_build_object(
        'id', r.id,
        'case_id', case when known then r.case_id end,
        'case_reference', outline.reference,
        'committee', r.committee,
        'organisation', r.organisation,
        'question', r.question,
        'children', (select coalesce(json_agg(json_build_object('index', n, 'outcome', k ->> 'outcome',
                'age_band', k ->> 'age_band') order by n), '[]')
            from jsonb_array_elements(outline.children) with ordinality u(k, n)),
        'asked_on', r.asked_on,
        'due_on', r.due_on,
        'status', r.status,
        'overdue', information_is_overdue(r),
        'answered_on', r.answered_on,
        'answered_late', coalesce(r.answered_on > r.due_on, false),
        'practice_areas', r.practice_areas,
        'other_reviews', r.other_reviews,
        'criminal_proceedings', r.criminal_proceedings,
        'summary', r.summary,
        'reason', r.reason,
        'created_at', rendered(r.created_at),
        'updated_at', rendered(r.updated_at),
        'version', r.version,
        'etag', entity_tag(r.version),
        'links', json_build_object(
            'self', '/v1/information-requests/' || r.id,
            'case', case when known then '/v1/cases/' || r.case_id end));
end
$$;

-- Asks an organisation for information about a case (201); the answer is due after 14 days unless the request says
-- otherwise. Refuses with 409 a second open request to it, and with 422 a code that several bodies share. Adult
-- guidance 2022, web page 8.
create function information_ask(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    r information_request := jsonb_populate_record(null::information_request, input);
    asked organisation;
begin
    select * into asked from organisation o where o.code = r.organisation;
    r.due_on := coalesce(r.due_on, r.asked_on + 14);
    perform refuse_faults(
        case when asked.code is null then unknown_code_fault('/organisation', 'an organisation', 'organisations')
            when asked.committee = c.committee then
                fault('/organisation', 'asks_itself', 'is the committee itself')
            when asked.collective then
                fault('/organisation', 'organisation_shared',
                    'is a shared organisation code and cannot receive requests') end,
        future_fault('/asked_on', r.asked_on),
        early_fault('/asked_on', r.asked_on, c.opened_on, 'the case was opened'),
        early_fault('/due_on', r.due_on, r.asked_on, 'asked_on'));
    if exists (select from information_request x
            where x.case_id = c.id and x.organisation = r.organisation and x.status = 'open') then
        perform conflict_at('/organisation', 'already_asked', 'has a request of this case that is still open');
    end if;
    r.id := uuid_v7();
    r.committee := c.committee;
    r.case_id := c.id;
    r.recorded_by := claim('organisation');
    r := insert_row(r);
    return (201, r.version, '/v1/cases/' || c.id || '/information-requests/' || r.id,
        information_document(r))::reply;
end
$$;

-- Changes the due day of an open request, or withdraws or waives it with a reason (422 without one). Refuses with 409 a
-- request that has ended.
create function information_change(p_case uuid, p_id uuid, expected bigint, change jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock(p_case, null);
    r information_request;
    n information_request;
begin
    select * into r from information_request where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found and may_move(to_jsonb(r), 'information_request', 'changeInformationRequest'));
    perform refuse_stale(expected, r.version);
    n := jsonb_populate_record(r, change);
    perform refuse_move(r, 'information_request', 'changeInformationRequest', r.status, n.status);
    perform refuse_faults(
        early_fault('/due_on', n.due_on, n.asked_on, 'asked_on'),
        case when n.status <> 'open' and n.reason is null then
            fault('/reason', 'reason_required', 'is required') end,
        case when n.status = 'open' and n.reason is not null then
            fault('/reason', 'only_when_ended', 'is only allowed for a withdrawn or waived request') end);
    update information_request set due_on = n.due_on, status = n.status, reason = n.reason
        where id = p_id returning * into r;
    return (200, r.version, null, information_document(r))::reply;
end
$$;

-- Records the answer of the organisation asked, and makes the decision notices that it calls for (201). Refuses with
-- 404 every other caller, with 409 a request that has ended, and with 422 members that do not belong to the kind of
-- answer.
create function information_answer(p_id uuid, input jsonb) returns reply language plpgsql as $$
declare
    r information_request;
    n information_request;
begin
    -- An answer may call for a notice of the decision: waiting ensures that neither overlooks the other.
    perform case_advisory_lock(case_id) from information_request where id = p_id and organisation = own_organisation();
    select * into r from information_request where id = p_id and organisation = own_organisation() for update;
    perform refuse_unless_found(found and may_move(to_jsonb(r), 'information_request', 'answerInformationRequest'));
    n := jsonb_populate_record(r, input);
    perform refuse_move(r, 'information_request', 'answerInformationRequest', r.status, n.status);
    perform refuse_faults(
        future_fault('/answered_on', n.answered_on),
        early_fault('/answered_on', n.answered_on, n.asked_on, 'the request was made'),
        case when n.status = 'declined' and n.reason is null then
            fault('/reason', 'reason_required', 'is required') end,
        case when n.status <> 'declined' and n.reason is not null then
            fault('/reason', 'only_when_declined', 'is only allowed for a declined request') end,
        case when n.status <> 'answered' and cardinality(n.practice_areas) > 0 then
            fault('/practice_areas', 'only_when_answered', 'is only allowed for an answered request') end,
        case when n.status <> 'answered' and n.summary is not null then
            fault('/summary', 'only_when_answered', 'is only allowed for an answered request') end);
    update information_request set status = n.status, answered_on = n.answered_on, practice_areas = n.practice_areas,
            other_reviews = n.other_reviews, criminal_proceedings = n.criminal_proceedings, summary = n.summary,
            reason = n.reason
        where id = p_id returning * into r;
    perform decision_notify_late_recipients(r.case_id);
    return (201, r.version, null, information_document(r))::reply;
end
$$;

-- Withdraws the open requests of a case that was closed: nobody must answer them any more.
create function information_withdraw_open(c review_case) returns void language plpgsql as $$
begin
    update information_request set status = 'withdrawn', reason = 'The case was closed.'
        where case_id = c.id and status = 'open';
end
$$;

-- No information request of the case may be open. Guidance 2021, chapter 3.
create function guard_information_returned(c review_case) returns boolean
language plpgsql stable as $$
begin
    return not exists (select from information_request r where r.case_id = c.id and r.status = 'open');
end
$$;
