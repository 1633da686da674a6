-- Engagement: which members of the family and which practitioners a review heard, and how. The committee and
-- organisations with access to the case record it.

-- The document of one family member's engagement.
create function family_engagement_document(e family_engagement) returns json
language sql stable as $$
    select json_build_object(
        'id', e.id,
        'case_id', e.case_id,
        'relation', e.relation,
        'invited_on', e.invited_on,
        'not_invited_reason', e.not_invited_reason,
        'response', e.response,
        'responded_on', e.responded_on,
        'response_reason', e.response_reason,
        'method', e.method,
        'views_taken_on', e.views_taken_on,
        'feedback_before_publication_on', e.feedback_before_publication_on,
        'created_at', rendered(e.created_at),
        'updated_at', rendered(e.updated_at),
        'version', e.version,
        'etag', entity_tag(e.version),
        'links', json_build_object(
            'self', '/v1/cases/' || e.case_id || '/family-engagements/' || e.id,
            'case', '/v1/cases/' || e.case_id))
$$;

-- Returns the faults of an invitation. A family member must have a day of invitation or a reason for none; without an
-- invitation the response must be not_invited. Guidance 2024, annex 4.
create function family_invitation_faults(c review_case, e family_engagement) returns json[]
language plpgsql stable as $$
begin
    return review_day_faults('/invited_on', e.invited_on, c) || array[
        case when e.invited_on is null and e.not_invited_reason is null then
            fault('/invited_on', 'invitation_or_reason',
                'is needed, unless not_invited_reason says why there was no invitation') end,
        case when e.invited_on is not null and e.not_invited_reason is not null then
            fault('/not_invited_reason', 'only_when_not_invited',
                'is only allowed for somebody who was not invited') end,
        case when e.invited_on is null and e.not_invited_reason is not null
                and e.response is distinct from 'not_invited' then
            fault('/response', 'not_invited', 'must be not_invited if there was no invitation') end,
        case when e.invited_on is not null and e.response = 'not_invited' then
            fault('/response', 'not_invited', 'is only allowed for somebody who was not invited') end];
end
$$;

-- Returns the faults of a family member's response and views: missing or excess days and reasons, days out of order.
-- Guidance 2024, annex 4.
create function family_answer_faults(c review_case, e family_engagement) returns json[]
language plpgsql stable as $$
declare
    answered boolean := coalesce(e.response in ('took_part', 'declined'), false);
begin
    return array[
        case when answered and e.responded_on is null then
            fault('/responded_on', 'required_when_answered', 'is needed for somebody who answered') end,
        case when not answered and e.responded_on is not null then
            fault('/responded_on', 'only_when_answered', 'is only allowed for somebody who answered') end,
        future_fault('/responded_on', e.responded_on),
        early_fault('/responded_on', e.responded_on, e.invited_on, 'invited_on'),
        case when e.response = 'no_reply' and e.response_reason is null then
            fault('/response_reason', 'reason_required', 'is required when response is no_reply') end,
        case when e.response_reason is not null
                and coalesce(e.response not in ('declined', 'no_reply'), true) then
            fault('/response_reason', 'only_when_not_taking_part',
                'is only allowed for somebody who declined or did not reply') end,
        case when e.views_taken_on is not null and e.response is distinct from 'took_part' then
            fault('/views_taken_on', 'only_when_taking_part', 'is only allowed for somebody who took part') end,
        case when e.views_taken_on is not null and e.method is null then
            fault('/method', 'method_required', 'is required with views_taken_on') end,
        future_fault('/views_taken_on', e.views_taken_on),
        early_fault('/views_taken_on', e.views_taken_on, e.invited_on, 'invited_on'),
        future_fault('/feedback_before_publication_on', e.feedback_before_publication_on),
        early_fault('/feedback_before_publication_on', e.feedback_before_publication_on,
            coalesce(e.views_taken_on, e.invited_on, case_decision_entered(c.id)),
            'there was anything to give feedback on')];
end
$$;

-- Refuses with 409 invitations, meetings and feedback that a restriction forbids. Guidance 2024, annex 2.
create function family_engagement_refuse_restricted(c review_case, was family_engagement, n family_engagement)
returns void language plpgsql as $$
begin
    perform refuse_restricted_day(c, 'family_invitation', '/invited_on', was.invited_on, n.invited_on);
    perform refuse_restricted_day(c, 'family_meeting', '/views_taken_on', was.views_taken_on, n.views_taken_on);
    perform refuse_restricted_day(c, 'family_feedback', '/feedback_before_publication_on',
        was.feedback_before_publication_on, n.feedback_before_publication_on);
end
$$;

-- Records the engagement of a family member (201). Refuses with 409 a closed case, one without a decision to proceed,
-- and contact that a restriction forbids; with 422 faults of invitation or response.
create function family_engagement_add(p_case uuid, input jsonb) returns reply
language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
    e family_engagement := jsonb_populate_record(null::family_engagement, input);
begin
    perform refuse_before_set_up(c);
    perform family_engagement_refuse_restricted(c, null, e);
    perform refuse_faults(variadic family_invitation_faults(c, e) || family_answer_faults(c, e));
    e.id := uuid_v7();
    e.committee := c.committee;
    e.case_id := c.id;
    e := insert_row(e);
    return (201, e.version, '/v1/cases/' || c.id || '/family-engagements/' || e.id,
        family_engagement_document(e))::reply;
end
$$;

-- Changes the engagement of a family member; refuses with 404, 412, 428, with 409 contact that a restriction forbids, or
-- with 422 faults of invitation or response.
create function family_engagement_change(p_case uuid, p_id uuid, expected bigint, change jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
    e family_engagement;
    n family_engagement;
begin
    select * into e from family_engagement where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, e.version);
    n := jsonb_populate_record(e, change);
    perform family_engagement_refuse_restricted(c, e, n);
    perform refuse_faults(variadic family_invitation_faults(c, n) || family_answer_faults(c, n));
    update family_engagement set relation = n.relation, invited_on = n.invited_on,
            not_invited_reason = n.not_invited_reason, response = n.response, responded_on = n.responded_on,
            response_reason = n.response_reason, method = n.method, views_taken_on = n.views_taken_on,
            feedback_before_publication_on = n.feedback_before_publication_on
        where id = p_id returning * into e;
    return (200, e.version, null, family_engagement_document(e))::reply;
end
$$;

-- The document of an engagement with practitioners.
create function practitioner_engagement_document(e practitioner_engagement) returns json
language sql stable as $$
    select json_build_object(
        'id', e.id,
        'case_id', e.case_id,
        'kind', e.kind,
        'held_on', e.held_on,
        'organisations', e.organisations,
        'participants_count', e.participants_count,
        'reason', e.reason,
        'support_offered', e.support_offered,
        'created_at', rendered(e.created_at),
        'updated_at', rendered(e.updated_at),
        'version', e.version,
        'etag', entity_tag(e.version),
        'links', json_build_object(
            'self', '/v1/cases/' || e.case_id || '/practitioner-engagements/' || e.id,
            'case', '/v1/cases/' || e.case_id))
$$;

-- Returns the faults of an engagement with practitioners. One that was held needs day, organisations and number of
-- participants; otherwise it needs a reason. Guidance 2024, chapter 4.
create function practitioner_engagement_faults(c review_case, e practitioner_engagement)
returns json[] language plpgsql stable as $$
declare
    held boolean := e.kind <> 'not_held';
begin
    return review_day_faults('/held_on', e.held_on, c)
        || organisation_faults('/organisations', e.organisations)
        || array[
            case when held and e.held_on is null then
                fault('/held_on', 'required_when_held', 'is required for an engagement that was held') end,
            case when not held and e.held_on is not null then
                fault('/held_on', 'only_when_held', 'is only allowed for an engagement that was held') end,
            case when held and cardinality(e.organisations) = 0 then
                fault('/organisations', 'required_when_held', 'must contain at least one organisation') end,
            case when held and e.participants_count is null then
                fault('/participants_count', 'required_when_held', 'is required for an engagement that was held') end,
            case when not held and e.participants_count is not null then
                fault('/participants_count', 'only_when_held', 'is only allowed for an engagement that was held') end,
            case when not held and e.reason is null then
                fault('/reason', 'reason_required', 'is required') end,
            case when held and e.reason is not null then
                fault('/reason', 'only_when_not_held', 'is only allowed if no engagement was held') end];
end
$$;

-- Refuses with 409 an individual interview that a restriction forbids. A session with several practitioners is none.
-- Guidance 2024, annex 2.
create function practitioner_engagement_refuse_restricted(c review_case, was practitioner_engagement,
    n practitioner_engagement) returns void language plpgsql as $$
begin
    if n.kind = 'individual' then
        perform refuse_restricted_day(c, 'practitioner_interview', '/held_on',
            case when was.kind = n.kind then was.held_on end, n.held_on);
    end if;
end
$$;

-- Records an engagement with practitioners (201). Refuses with 409 a closed case, one without a decision to proceed, and
-- an interview that a restriction forbids; with 422 faults of the engagement.
create function practitioner_engagement_add(p_case uuid, input jsonb) returns reply
language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
    e practitioner_engagement := jsonb_populate_record(null::practitioner_engagement, input);
begin
    perform refuse_before_set_up(c);
    perform practitioner_engagement_refuse_restricted(c, null, e);
    perform refuse_faults(variadic practitioner_engagement_faults(c, e));
    e.id := uuid_v7();
    e.committee := c.committee;
    e.case_id := c.id;
    e := insert_row(e);
    return (201, e.version, '/v1/cases/' || c.id || '/practitioner-engagements/' || e.id,
        practitioner_engagement_document(e))::reply;
end
$$;

-- Changes an engagement with practitioners; refuses with 404, 412, 428, with 409 an interview that a restriction forbids,
-- or with 422 faults of the engagement.
create function practitioner_engagement_change(p_case uuid, p_id uuid, expected bigint, change jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
    e practitioner_engagement;
    n practitioner_engagement;
begin
    select * into e from practitioner_engagement where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, e.version);
    n := jsonb_populate_record(e, change);
    perform practitioner_engagement_refuse_restricted(c, e, n);
    perform refuse_faults(variadic practitioner_engagement_faults(c, n));
    update practitioner_engagement set kind = n.kind, held_on = n.held_on, organisations = n.organisations,
            participants_count = n.participants_count, reason = n.reason, support_offered = n.support_offered
        where id = p_id returning * into e;
    return (200, e.version, null, practitioner_engagement_document(e))::reply;
end
$$;

-- At least one engagement with practitioners must be recorded, or the reason why none was held. Guidance 2024, chapter
-- 4.
create function guard_practitioners_engaged(c review_case) returns boolean
language plpgsql stable as $$
begin
    return exists (select from practitioner_engagement e where e.case_id = c.id);
end
$$;

-- At least one family member must be recorded, and each must have a response, which may be not_invited. Guidance 2024,
-- annex 4.
create function guard_family_invitations_answered(c review_case) returns boolean
language plpgsql stable as $$
begin
    return (select coalesce(bool_and(e.response is not null), false)
        from family_engagement e where e.case_id = c.id);
end
$$;
