-- Transfers of cases and referrals to another committee: both committees must agree, and the history moves with the
-- case.

-- Returns the case of a transfer for the committee that has it and, while the transfer is proposed, for the one asked
-- to take it over. Null for other callers.
create function transfer_case(t case_transfer) returns uuid language sql stable as $$
    select case when t.committee = claim('committee')
        or t.status = 'proposed' and t.to_committee = claim('committee') then t.case_id end
$$;

-- The document of a transfer. The identifier of the case is null for callers for whom transfer_case is null.
create function transfer_document(t case_transfer) returns json language sql stable as $$
    select json_build_object(
        'id', t.id,
        'case_id', transfer_case(t),
        'case_reference', t.case_reference,
        'from_committee', t.from_committee,
        'to_committee', t.to_committee,
        'reason', t.reason,
        'note', t.note,
        'status', t.status,
        'proposed_on', t.proposed_on,
        'decided_on', t.decided_on,
        'answer', t.answer,
        'created_at', rendered(t.created_at),
        'updated_at', rendered(t.updated_at),
        'version', t.version,
        'etag', entity_tag(t.version),
        'links', json_build_object(
            'self', '/v1/transfers/' || t.id,
            'case', '/v1/cases/' || transfer_case(t)))
$$;

-- Returns the fault of a committee that is the caller's own or unknown; null for another committee.
create function other_committee_fault(pointer text, committee text) returns json
language sql stable as $$
    select case
        when committee = claim('committee') then fault(pointer, 'transfer_to_itself', 'is the committee itself')
        when not exists (select from committee c where c.code = other_committee_fault.committee) then
            unknown_code_fault(pointer, 'a committee', 'committees') end
$$;

-- Whether a transfer of the case is proposed and not yet decided.
create function transfer_is_proposed(p_case uuid) returns boolean language plpgsql stable as $$
begin
    return exists (select from case_transfer t where t.case_id = p_case and t.status = 'proposed');
end
$$;

-- Proposes to transfer an open case to another committee (201). Refuses with 409 if a transfer is already proposed, and
-- with 422 a wrong committee or a day out of order.
create function transfer_propose(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    t case_transfer := jsonb_populate_record(null::case_transfer, input);
begin
    if transfer_is_proposed(c.id) then
        perform conflict('transfer_proposed', 'A transfer of the case is already proposed.');
    end if;
    perform refuse_faults(
        other_committee_fault('/to_committee', t.to_committee),
        future_fault('/proposed_on', t.proposed_on),
        early_fault('/proposed_on', t.proposed_on, c.opened_on, 'the case was opened'));
    t.id := uuid_v7();
    t.committee := c.committee;
    t.case_id := c.id;
    t.case_reference := c.reference;
    t.from_committee := c.committee;
    t := insert_row(t);
    return (201, t.version, '/v1/transfers/' || t.id, transfer_document(t))::reply;
end
$$;

-- Locks and returns a proposed transfer for one of its moves. Refuses with 404 a caller who may not make it, a stale
-- version as refuse_stale does, and with 409 a transfer that was decided or withdrawn.
create function transfer_lock(p_id uuid, expected bigint, operation text) returns case_transfer
language plpgsql as $$
declare
    t case_transfer;
begin
    select * into t from case_transfer where id = p_id for update;
    perform refuse_unless_found(found and may_move(to_jsonb(t), 'transfer', operation));
    perform refuse_stale(expected, t.version);
    perform refuse_move(t, 'transfer', operation, t.status);
    return t;
end
$$;

-- Gives the case and its parts to the receiving committee, as the accepted transfer says and no more. Runs as the
-- owner: no committee may write rows of another.
create function transfer_carry_out(p_id uuid, area text) returns void
language plpgsql security definer set search_path from current as $$
declare
    t case_transfer;
begin
    select * into strict t from case_transfer
        where id = p_id and status = 'accepted' and to_committee = claim('committee')
            and committee = from_committee and has_scope('cases.write');
    perform case_advisory_lock(t.case_id);
    update review_case set committee = t.to_committee, local_authority = area where id = t.case_id;
    perform decision_notify_late_recipients(t.case_id); -- other chief officers must be notified
end
$$;

-- Returns the faults of the accesses that the receiving committee wants to keep: one that is not in force, or one to
-- its own case.
create function kept_access_faults(cases uuid[], kept uuid[]) returns json[]
language plpgsql stable as $$
begin
    return (select coalesce(array_agg(case
            when a.id is null then
                fault('/keep_access/' || n - 1, 'unknown_access', 'is not an access to the case that has not ended')
            when a.organisation = claim('organisation') and a.client is null then
                fault('/keep_access/' || n - 1, 'access_to_own_case', 'is not needed: the case is the committee''s own')
            end order by n), '{}')
        from unnest(kept) with ordinality k(id, n)
        left join case_access a on a.id = k.id and a.case_id = any (cases)
            and access_continues(a));
end
$$;

-- Ends every access that the former committee granted, except those that the new one keeps, because the new one decides
-- who sees its case. Accesses that begin later end too.
create function transfer_end_access(cases uuid[], kept uuid[]) returns void language sql volatile as $$
    update case_access a set ended_on = today()
        where a.case_id = any (cases) and access_continues(a) and a.id <> all (kept)
$$;

-- Accepts a transfer for the receiving committee (201): the case and those merged into it are its own from now on.
-- Refuses as transfer_lock does, and with 422 an area of another committee, a day out of order, or a wrong access to
-- keep.
create function transfer_accept(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    t case_transfer := transfer_lock(p_id, expected, 'acceptTransfer');
    on_day date := (input ->> 'decided_on')::date;
    kept uuid[] := array(select jsonb_array_elements_text(input -> 'keep_access')::uuid);
    cases uuid[];
begin
    perform case_advisory_lock(t.case_id); -- blocks new grants of access meanwhile
    cases := case_with_merged(t.case_id);
    perform refuse_faults(variadic array[
        area_fault(input ->> 'local_authority', t.to_committee, '/local_authority'),
        future_fault('/decided_on', on_day),
        early_fault('/decided_on', on_day, t.proposed_on, 'the transfer was proposed')]
        || kept_access_faults(cases, kept));
    update case_transfer set status = 'accepted', decided_on = on_day, answer = input ->> 'answer'
        where id = p_id;
    perform transfer_carry_out(p_id, input ->> 'local_authority');
    perform transfer_end_access(cases, kept);
    select * into t from case_transfer where id = p_id;
    return (201, t.version, '/v1/cases/' || t.case_id, transfer_document(t))::reply;
end
$$;

-- Ends a transfer (201): the receiving committee refuses it, or the proposing one withdraws it. Refuses as
-- transfer_lock does, and with 422 a day out of order.
create function transfer_end(p_id uuid, expected bigint, input jsonb, outcome text) returns reply
language plpgsql as $$
declare
    t case_transfer := transfer_lock(p_id, expected,
        case outcome when 'refused' then 'refuseTransfer' else 'withdrawTransfer' end);
    on_day date := (input ->> 'decided_on')::date;
begin
    perform refuse_faults(
        future_fault('/decided_on', on_day),
        early_fault('/decided_on', on_day, t.proposed_on, 'the transfer was proposed'));
    update case_transfer set status = outcome, decided_on = on_day, answer = input ->> 'answer'
        where id = p_id returning * into t;
    return (201, t.version, null, transfer_document(t))::reply;
end
$$;

-- Gives an undecided referral to the committee that should have received it. Runs as the owner: the caller may not see
-- the row afterwards. Raises an error if the caller may not transfer the referral.
create function referral_carry_over(p_id uuid, target text, area text) returns referral
language plpgsql security definer set search_path from current as $$
declare
    r referral;
begin
    update referral set committee = target, local_authority = area, transferred_from = claim('committee'),
            status = 'submitted', acknowledged_on = null
        where id = p_id and committee = claim('committee') and referral_is_undecided(status)
            and has_scope('cases.write')
        returning * into strict r;
    return r;
end
$$;

-- Transfers an undecided referral to another committee (201). Refuses as referral_lock does, and with 422 a wrong
-- committee or area, or a day out of order.
create function referral_transfer(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    r referral := referral_lock(p_id, expected, 'transferReferral');
    on_day date := (input ->> 'transferred_on')::date;
    target text := input ->> 'to_committee';
    outside json := other_committee_fault('/to_committee', target);
begin
    perform refuse_faults(
        outside,
        case when outside is null then area_fault(input ->> 'local_authority', target, '/local_authority') end,
        future_fault('/transferred_on', on_day),
        early_fault('/transferred_on', on_day, r.received_on, 'the referral was received'));
    r := referral_carry_over(p_id, target, input ->> 'local_authority');
    return (201, r.version, null, referral_document(r))::reply;
end
$$;
