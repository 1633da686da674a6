-- Impact reviews: whether a verified action achieved its purpose.

-- The document of an impact review.
create function impact_review_document(r impact_review) returns json language sql stable as $$
    select json_build_object(
        'id', r.id,
        'action_id', r.action_id,
        'reviewed_on', r.reviewed_on,
        'outcome', r.outcome,
        'evidence', r.evidence,
        'next_review_on', r.next_review_on,
        'recorded_by', r.recorded_by,
        'recorded_at', rendered(r.created_at))
$$;

-- Records an impact review of a verified action (201), also after the case is closed, because change takes time.
-- Refuses with 404 every caller but the committee, with 409 an action that is not verified, and with 422 days out of
-- order or no next review after `too_early`. Guidance 2024, chapter 5.
create function impact_review_add(p_action uuid, input jsonb) returns reply language plpgsql as $$
declare
    a action := action_lock(p_action, null);
    r impact_review := jsonb_populate_record(null::impact_review, input);
begin
    perform refuse_unless_found(a.committee = claim('committee'));
    if a.status <> 'verified' then
        perform conflict('not_verified',
            'Only a verified action can have an impact review; this one is ' || a.status || '.');
    end if;
    perform refuse_faults(
        future_fault('/reviewed_on', r.reviewed_on),
        early_fault('/reviewed_on', r.reviewed_on, a.verified_on, 'verified_on'),
        case when r.next_review_on <= r.reviewed_on then
            fault('/next_review_on', 'date_order', 'does not lie after reviewed_on') end,
        case when r.outcome = 'too_early' and r.next_review_on is null then
            fault('/next_review_on', 'next_review_required', 'is required when outcome is too_early') end);
    r.id := uuid_v7();
    r.committee := a.committee;
    r.case_id := a.case_id;
    r.action_id := a.id;
    r.recorded_by := claim('organisation');
    r := insert_row(r);
    update action set impact_reviewed_on = greatest(impact_reviewed_on, r.reviewed_on) where id = a.id;
    return (201, null, null, impact_review_document(r))::reply;
end
$$;

-- Whether a review found what an action achieved. A review that came too early did not.
create function impact_is_known(p_action uuid) returns boolean language plpgsql stable as $$
begin
    return exists (select from impact_review r where r.action_id = p_action and r.outcome <> 'too_early');
end
$$;

-- The impact of each verified action must be known. Guidance 2024, chapter 5.
create function guard_impact_reviewed(c review_case) returns boolean language plpgsql stable as $$
begin
    return not exists (select from action a where a.case_id = c.id and a.status = 'verified'
        and not impact_is_known(a.id));
end
$$;
