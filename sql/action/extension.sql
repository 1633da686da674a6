-- More time for an action: its owner asks, and the committee decides.

-- A request for more time must wait for an answer.
create function guard_extension_requested(a action) returns boolean language sql immutable as $$
    select a.requested_due_on is not null
$$;

-- Records the owner's request for a later due day (201); it replaces an unanswered one. Refuses with 404 every caller
-- but the owner, with 409 an action that is neither agreed nor in progress, and with 422 a day that is not later or has
-- passed.
create function action_extension_request(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    a action := action_lock(p_id, expected);
    wanted constant date := (input ->> 'due_on')::date;
begin
    perform refuse_unless_found(may_move(to_jsonb(a), 'action', 'requestExtension'));
    perform refuse_move(a, 'action', 'requestExtension', a.status);
    perform refuse_faults(
        case when wanted <= a.due_on then
            fault('/due_on', 'date_order', format('must be after the present due date (%s)', a.due_on)) end,
        early_fault('/due_on', wanted, today(), 'today'));
    update action set requested_due_on = wanted, extension_reason = input ->> 'reason',
            extension_requested_on = today()
        where id = p_id returning * into a;
    perform action_log(a, 'extension_requested', today(), a.extension_reason, wanted, null);
    return (201, a.version, null, action_document(a))::reply;
end
$$;

-- Answers the request for the committee (201). Refuses with 404 every caller but the committee, with 409 an action
-- without a request, and with 422 a refusal without a reason. Agreeing moves the due day, and the original one stays.
create function action_extension_answer(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    a action := action_lock(p_id, expected);
    asked constant action := a;
    why constant text := input ->> 'reason';
    agreed constant boolean := input ->> 'outcome' = 'agreed';
begin
    perform refuse_unless_found(may_move(to_jsonb(a), 'action', 'answerExtension'));
    perform refuse_move(a, 'action', 'answerExtension', a.status, a.status);
    perform refuse_faults(case when not agreed and why is null then
        fault('/reason', 'reason_required', 'is required when outcome is refused') end);
    update action set requested_due_on = null, extension_reason = null, extension_requested_on = null,
            due_on = case when agreed then requested_due_on else due_on end
        where id = p_id returning * into a;
    perform action_log(a, case when agreed then 'due_change' else 'extension_refused' end, today(),
        coalesce(why, asked.extension_reason), asked.requested_due_on, null);
    return (201, a.version, null, action_document(a))::reply;
end
$$;
