-- Announced erasures. One client of the committee announces an erasure for a day after the notice period. Until then,
-- clients that follow the feed can have it stopped. Another client carries it out (sql/retention/retention.sql). Each
-- change of a fact that decides how long the case or referral is kept stops the erasure: no client can make anything
-- erasable before a notice period has passed since the change.

-- The document of an announced erasure.
create function erasure_document(e erasure) returns json language sql stable as $$
    select json_build_object(
        'id', e.id,
        'committee', e.committee,
        'case_id', e.case_id,
        'referral_id', e.referral_id,
        'reference', e.reference,
        'status', e.status,
        'announced_on', e.announced_on,
        'announced_by', e.announced_by,
        'not_before', e.not_before,
        'stopped_on', e.stopped_on,
        'stopped_because', e.stopped_because,
        'created_at', rendered(e.created_at),
        'updated_at', rendered(e.updated_at),
        'version', e.version,
        'etag', entity_tag(e.version),
        'links', json_build_object(
            'self', '/v1/erasures/' || e.id,
            'subject', coalesce('/v1/cases/' || e.case_id, '/v1/referrals/' || e.referral_id)))
$$;

-- Returns the announced erasure of a case or referral; nulls if none is announced.
create function erasure_announced(p_case uuid, p_referral uuid) returns erasure language plpgsql stable as $$
declare
    e erasure;
begin
    select * into e from erasure x where x.status = 'announced' and (x.case_id = p_case or x.referral_id = p_referral);
    return e;
end
$$;

-- Only another client than the one that announced the erasure may carry it out.
create function guard_announced_by_another(e erasure) returns boolean language sql stable as $$
    select e.announced_by is distinct from claim('client')
$$;

-- The notice period of the erasure must have ended.
create function guard_erasure_day_reached(e erasure) returns boolean language sql stable as $$
    select e.not_before <= today()
$$;

-- Refuses with 409 unless another client announced the erasure of the case or referral, and its day has come.
create function erasure_refuse_early(p_case uuid, p_referral uuid) returns void language plpgsql as $$
declare
    e erasure := erasure_announced(p_case, p_referral);
begin
    perform refuse_move(e, 'erasure', case when p_case is null then 'anonymiseReferral' else 'anonymiseCase' end,
        coalesce(e.status, 'not_announced'), 'carried_out');
end
$$;

-- Announces the erasure of a case or a referral for the end of the notice period (201). Refuses with 409 a second
-- announcement.
create function erasure_announce(p_case uuid, p_referral uuid, p_reference text) returns reply
language plpgsql as $$
declare
    e erasure;
begin
    if (erasure_announced(p_case, p_referral)).id is not null then
        perform conflict('erasure_announced', 'The erasure was already announced.');
    end if;
    e.id := uuid_v7();
    e.committee := claim('committee');
    e.case_id := p_case;
    e.referral_id := p_referral;
    e.reference := p_reference;
    e.announced_on := today();
    e.announced_by := claim('client');
    e.not_before := notice_ends();
    e := insert_row(e);
    return (201, e.version, '/v1/erasures/' || e.id, erasure_document(e))::reply;
end
$$;

-- Announces the erasure of a case (201); refuses as case_lock, case_refuse_kept and erasure_announce do.
create function case_erasure_announce(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    c review_case := case_lock(p_id, expected);
begin
    perform case_refuse_kept(c, input);
    return erasure_announce(c.id, null, c.reference);
end
$$;

-- Announces the erasure of a referral that never became a case (201). Refuses with 404 a referral of another committee,
-- a stale version as refuse_stale does, and as referral_refuse_kept and erasure_announce do.
create function referral_erasure_announce(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    r referral;
begin
    select * into r from referral x where x.id = p_id and x.committee = claim('committee');
    perform refuse_unless_found(found);
    perform refuse_stale(expected, r.version);
    perform referral_refuse_kept(r, input);
    return erasure_announce(null, r.id, r.reference);
end
$$;

-- Stops an announced erasure of the caller's committee. Refuses with 404 other callers, a stale version as refuse_stale
-- does, and with 409 an erasure that was already stopped.
create function erasure_stop(p_id uuid, expected bigint) returns reply language plpgsql as $$
declare
    e erasure;
begin
    select * into e from erasure where id = p_id;
    perform refuse_unless_found(found and may_move(to_jsonb(e), 'erasure', 'stopErasure')
        and has_any_scope('cases.write', 'retention.write'));
    perform refuse_stale(expected, e.version);
    perform refuse_move(e, 'erasure', 'stopErasure', e.status, 'stopped');
    update erasure set status = 'stopped', stopped_on = today(), stopped_because = 'committee'
        where id = p_id and version = e.version and status = 'announced' returning * into e;
    if not found then -- another request stopped it at the same time
        perform refuse_state('{}', 'erasure', 'stopErasure', 'stopped');
    end if;
    return (200, e.version, null, erasure_document(e))::reply;
end
$$;
