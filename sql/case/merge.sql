-- Merging two cases that turn out to be one, or that one thematic review covers.

-- The case must not have been merged into another one, where its work continues.
create function guard_not_merged(c review_case) returns boolean language sql immutable as $$
    select c.merged_into is null
$$;

-- Returns the faults of a case that block its merging: open actions, open information requests, a proposed transfer.
-- Null if there are none.
create function merge_blockers(c review_case) returns json language plpgsql stable as $$
begin
    return (select json_agg(fault(null, rule, message)) from (values
        ('actions_open', 'Each action of the case must be ended or merged first.',
            not guard_actions_ended(c)),
        ('information_requests_open', 'Each information request of the case must be answered or withdrawn first.',
            not guard_information_returned(c)),
        ('transfer_proposed', 'A transfer of the case has been proposed.',
            transfer_is_proposed(c.id))
        ) blockers(rule, message, blocks) where blocks);
end
$$;

-- Moves the children, referrals and open tasks of a case to another one. A child that the other case already has remains unchanged.
create function case_move_contents(c review_case, target review_case) returns void
language plpgsql as $$
begin
    perform case_add_children(target, (select jsonb_agg(to_jsonb(k) order by k.id)
        from child k where k.case_id = c.id));
    update referral set case_id = target.id, case_reference = target.reference, case_stage = target.stage,
            case_decision = target.decision_outcome
        where case_id = c.id;
    perform tasks_move(c.id, target.id);
    update review_case set earliest_referral_received_on =
            least(earliest_referral_received_on, c.earliest_referral_received_on)
        where id = target.id;
end
$$;

-- Merges a case into another open one of the same committee (201). The first is closed as merged and keeps its history.
-- Refuses with 409 while work on it is open, or if the other one is closed or offered to another committee.
create function case_merge(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    target_id uuid := (input ->> 'into_case_id')::uuid;
    on_day date := (input ->> 'merged_on')::date;
    c review_case;
    target review_case;
    blockers json;
begin
    perform case_advisory_lock(least(p_id, target_id));
    perform case_advisory_lock(greatest(p_id, target_id));
    c := case_lock_open(p_id, expected);
    select * into target from review_case where id = target_id and committee = c.committee for update;
    perform refuse_faults(
        case when target_id = c.id then fault('/into_case_id', 'merged_into_itself', 'is the case itself')
            when target.id is null then fault('/into_case_id', 'unknown_case', 'is not a case of this committee') end,
        future_fault('/merged_on', on_day),
        early_fault('/merged_on', on_day, c.stage_entered_on, 'the current stage was entered'));
    if target.stage = 'closed' then
        perform conflict_at('/into_case_id', 'case_closed', 'is a closed case');
    end if;
    if transfer_is_proposed(target.id) then
        perform conflict_at('/into_case_id', 'transfer_proposed',
            'is offered to another committee; withdraw the transfer first');
    end if;
    blockers := merge_blockers(c);
    if blockers is not null then
        perform refuse(409, 'state_conflict', blockers);
    end if;
    perform case_move_contents(c, target);
    update review_case set merged_into = target.id where merged_into = c.id;
    c := case_change_stage(c, 'closed', on_day, 'merged', null, input ->> 'note', target.id);
    perform decision_notify_late_recipients(target.id); -- its new children and referrers may call for notices
    return (201, c.version, null, case_document(c, '{}'))::reply;
end
$$;
