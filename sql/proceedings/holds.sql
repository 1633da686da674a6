-- Holds: while one is open, it stops the clocks of the stages and the tracks that it names.

-- The document of a hold.
create function hold_document(h case_hold) returns json language plpgsql stable as $$
declare
    case_path text := '/v1/cases/' || h.case_id;
begin
    return json_build_object(
        'id', h.id,
        'case_id', h.case_id,
        'proceeding_id', h.proceeding_id,
        'stages', h.stages,
        'tracks', h.tracks,
        'held_from', h.held_from,
        'planned_until', h.planned_until,
        'reason', h.reason,
        'reason_text', h.reason_text,
        'agreed_with', h.agreed_with,
        'review_on', h.review_on,
        'review_overdue', h.review_on < today() and h.lifted_on is null,
        'lifted_on', h.lifted_on,
        'created_at', rendered(h.created_at),
        'updated_at', rendered(h.updated_at),
        'version', h.version,
        'etag', entity_tag(h.version),
        'links', json_build_object(
            'self', case_path || '/holds/' || h.id,
            'case', case_path,
            'proceeding', case_path || '/proceedings/' || h.proceeding_id));
end
$$;

-- Returns the faults of a hold: no stage or track named, an open hold for ended proceedings, the reason `other` without
-- text, days out of order. Guidance 2024, annex 2.
create function hold_faults(c review_case, h case_hold) returns json[] language plpgsql stable as $$
declare
    p proceeding;
begin
    select * into p from proceeding where id = h.proceeding_id and case_id = c.id;
    return array[
        case when h.proceeding_id is not null and p.id is null then
            fault('/proceeding_id', 'unknown_proceeding', 'is not the identifier of proceedings of the case') end,
        case when p.ended_on is not null and h.lifted_on is null then
            fault('/lifted_on', 'proceeding_ended', 'is needed, because the proceedings have ended') end,
        case when cardinality(h.stages) + cardinality(h.tracks) = 0 then
            fault('/stages', 'nothing_held', 'must contain a stage if no track is named') end,
        future_fault('/held_from', h.held_from),
        early_fault('/held_from', h.held_from, c.opened_on, 'the case was opened'),
        early_fault('/planned_until', h.planned_until, h.held_from, 'the hold begins'),
        early_fault('/review_on', h.review_on, h.held_from + 1, 'the day after the hold begins'),
        future_fault('/lifted_on', h.lifted_on),
        early_fault('/lifted_on', h.lifted_on, h.held_from, 'the hold began'),
        case when h.reason = 'other' and h.reason_text is null then
            fault('/reason_text', 'reason_text_required', 'is required when reason is other') end
    ] || organisation_faults('/agreed_with', h.agreed_with);
end
$$;

-- Adds a hold to an open case and recomputes its clocks (201). Refuses with 422 what hold_faults returns. Guidance
-- 2024, annex 2.
create function hold_create(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    h case_hold := jsonb_populate_record(null::case_hold, input);
begin
    perform refuse_faults(variadic hold_faults(c, h));
    h.id := uuid_v7();
    h.committee := c.committee;
    h.case_id := c.id;
    h.recorded_by := claim('organisation');
    h := insert_row(h);
    perform case_clock_refresh(c.id);
    return (201, h.version, '/v1/cases/' || c.id || '/holds/' || h.id, hold_document(h))::reply;
end
$$;

-- Changes or lifts a hold and recomputes the clocks of the case. Refuses with 404, 412, 428, with 409 a closed case,
-- and with 422 what hold_faults returns.
create function hold_change(p_case uuid, p_id uuid, expected bigint, change jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    h case_hold;
    n case_hold;
begin
    select * into h from case_hold where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, h.version);
    n := jsonb_populate_record(h, change);
    perform refuse_faults(variadic hold_faults(c, n));
    update case_hold set stages = n.stages, tracks = n.tracks, held_from = n.held_from,
            planned_until = n.planned_until, reason = n.reason, reason_text = n.reason_text,
            agreed_with = n.agreed_with, review_on = n.review_on, lifted_on = n.lifted_on
        where id = p_id returning * into h;
    perform case_clock_refresh(c.id);
    return (200, h.version, null, hold_document(h))::reply;
end
$$;

-- Lifts the open holds of proceedings on the day on which these ended, or on the first day of the hold if that is
-- later, and recomputes the clocks.
create function holds_end_with(p proceeding) returns void language plpgsql as $$
begin
    update case_hold set lifted_on = greatest(p.ended_on, held_from)
        where proceeding_id = p.id and lifted_on is null;
    perform case_clock_refresh(p.case_id);
end
$$;

-- Whether an open hold stops a track (publication or dissemination) of the case.
create function case_held(c review_case, track text) returns boolean language plpgsql stable as $$
begin
    return exists (select from case_hold h where h.case_id = c.id and h.lifted_on is null
        and track = any (h.tracks));
end
$$;

-- Whether an open hold stops publication. A hold on dissemination stops publication as well, which reaches more people.
create function publication_held(c review_case) returns boolean language plpgsql stable as $$
begin
    return case_held(c, 'publication') or case_held(c, 'dissemination');
end
$$;

-- No open hold may stop the clock of the case's stage. Guidance 2024, annex 2.
create function guard_not_on_hold(c review_case) returns boolean language sql immutable as $$
    select not c.clock_stopped
$$;
