-- Actions: agreeing, doing, completing and verifying the changes that the learning calls for.

-- Whether the status is final: verified, not achieved or superseded.
create function action_has_ended(status text) returns boolean language sql immutable as $$
    select status in ('verified', 'not_achieved', 'superseded')
$$;

-- Whether the action must still be carried out: it is proposed, agreed or in progress.
create function action_is_outstanding(status text) returns boolean language sql immutable as $$
    select status in ('proposed', 'agreed', 'in_progress')
$$;

-- Whether the action was carried out: its owner reported it as completed, or the committee verified it.
create function action_is_done(status text) returns boolean language sql immutable as $$
    select status in ('completed', 'verified')
$$;

-- Whether the action must still be carried out and its due day has passed.
create function action_is_overdue(a action) returns boolean language sql stable as $$
    select a.due_on < today() and action_is_outstanding(a.status)
$$;

-- The dependencies of an action must have ended before it is completed.
create function guard_dependencies_ended(a action) returns boolean language plpgsql stable as $$
begin
    return not action_waits(a);
end
$$;

-- Another client than the one that reported the completion must verify an action.
create function guard_completed_by_another(a action) returns boolean language sql stable as $$
    select a.completed_by is distinct from claim('client')
$$;

-- The document of an action. The identifier and link of the case are null for callers outside its committee.
create function action_document(a action) returns json language sql stable as $$
    select json_build_object(
        'id', a.id,
        'case_id', case when a.committee = claim('committee') then a.case_id end,
        'case_reference', a.case_reference,
        'committee', a.committee,
        'title', a.title,
        'themes', a.themes,
        'owner_organisation', a.owner_organisation,
        'status', a.status,
        'due_on', a.due_on,
        'original_due_on', a.original_due_on,
        'overdue', action_is_overdue(a),
        'slippage_days', a.due_on - a.original_due_on,
        'lateness_days', a.completed_on - a.original_due_on,
        'strategy_id', a.strategy_id,
        'owner_role', a.owner_role,
        'contributors', a.contributors,
        'owner_accepted_on', a.owner_accepted_on,
        'depends_on', a.depends_on,
        'replaces', a.replaces,
        'replaced_by', a.replaced_by,
        'cog_note', a.cog_note,
        'impact_reviewed_on', a.impact_reviewed_on,
        'impact_review_due_on', a.impact_review_due_on,
        'success_measure', a.success_measure,
        'priority', a.priority,
        'scope', a.scope,
        'resource_issue', a.resource_issue,
        'progress', a.progress,
        'completed_on', a.completed_on,
        'evidence', a.evidence,
        'verified_on', a.verified_on,
        'reason', a.reason,
        'requested_due_on', a.requested_due_on,
        'extension_reason', a.extension_reason,
        'extension_requested_on', a.extension_requested_on,
        'created_at', rendered(a.created_at),
        'updated_at', rendered(a.updated_at),
        'version', a.version,
        'etag', entity_tag(a.version),
        'links', json_build_object(
            'self', '/v1/actions/' || a.id,
            'updates', '/v1/actions/' || a.id || '/updates',
            'impact_reviews', '/v1/actions/' || a.id || '/impact-reviews',
            'case', case when a.committee = claim('committee') then '/v1/cases/' || a.case_id end))
$$;

-- Whether an action on which this one depends has not ended. Runs as the owner: the organisation that carries the
-- action out may not see the other one.
create function action_waits(a action) returns boolean
language plpgsql stable security definer set search_path from current as $$
begin
    return exists (select from action d where d.id = any (a.depends_on) and d.case_id = a.case_id
        and not action_has_ended(d.status));
end
$$;

-- Whether the committee itself carries the action out.
create function is_committees_own(a action) returns boolean language plpgsql stable as $$
begin
    return exists (select from organisation o where o.code = a.owner_organisation and o.committee = a.committee);
end
$$;

-- Returns the faults of an action; `before` is null for a new one. An agreed action needs a measure of success, an
-- owner who accepted it, and a note if resources were refused. The latter two apply only to actions that are agreed now
-- or change in this respect. Guidance 2024, chapter 5.
create function action_faults(before action, n action, base text) returns json[]
language plpgsql stable as $$
declare
    agreed boolean := n.status in ('agreed', 'in_progress', 'completed');
    newly_agreed boolean := agreed and (before.id is null or before.status = 'proposed');
begin
    return array[
        organisation_fault(base || '/owner_organisation', n.owner_organisation),
        case when agreed and n.success_measure is null then
            fault(base || '/success_measure', 'required_when_agreed',
                'is needed before the action can be agreed') end,
        case when agreed and n.owner_accepted_on is null and not is_committees_own(n)
                and (newly_agreed or before.owner_accepted_on is not null
                    or before.owner_organisation <> n.owner_organisation) then
            fault(base || '/owner_accepted_on', 'owner_acceptance_required',
                'is required: an action is agreed only after its owner accepted it') end,
        case when agreed and n.resource_issue = 'refused' and n.cog_note is null
                and (newly_agreed or before.resource_issue <> 'refused' or before.cog_note is not null) then
            fault(base || '/cog_note', 'cog_note_required',
                'must explain how the action is agreed although the chief officers refused resources') end,
        future_fault(base || '/owner_accepted_on', n.owner_accepted_on),
        early_fault(base || '/owner_accepted_on', n.owner_accepted_on, case_decision_entered(n.case_id),
            'the stage decision was entered')
        ] || organisation_faults(base || '/contributors', n.contributors) || action_strategy_fault(n, base);
end
$$;

-- Locks and returns an open case to which actions can be added. Refuses with 409 `before_decision` before the stage
-- decision.
create function case_lock_for_actions(p_case uuid) returns review_case language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
begin
    perform case_refuse_before(c, 'decision', 'before_decision',
        'Actions can only be added from the stage decision onwards.');
    return c;
end
$$;

-- Returns the action that a document describes, without storing it.
create function action_drafted(c review_case, input jsonb) returns action
language plpgsql as $$
declare
    a action := jsonb_populate_record(null::action, input);
begin
    a.committee := c.committee;
    a.case_id := c.id;
    a.case_reference := c.reference;
    return a;
end
$$;

-- Returns the faults of an action that would be added to the case; empty or nulls if there are none.
create function action_new_faults(c review_case, a action, base text) returns json[]
language plpgsql stable as $$
begin
    return action_faults(null, a, base) || action_dependency_faults(a, base)
        || array[early_fault(base || '/due_on', a.due_on, c.opened_on, 'the case was opened')];
end
$$;

-- Stores an action that was drafted and checked, and returns the row.
create function action_insert(n action) returns action language plpgsql as $$
begin
    n.id := coalesce(n.id, uuid_v7());
    n.original_due_on := n.due_on;
    return insert_row(n);
end
$$;

-- Adds an action to a case (201). Refuses with 409 a closed case or one before the stage decision, and with 422 what
-- action_new_faults returns.
create function action_create(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_for_actions(p_case);
    a action := action_drafted(c, input);
begin
    perform refuse_faults(variadic action_new_faults(c, a, ''));
    a := action_insert(a);
    return (201, a.version, '/v1/actions/' || a.id, action_document(a))::reply;
end
$$;

-- Locks and returns an action that the caller may see. Refuses with 404 any other, and a stale version as refuse_stale
-- does.
create function action_lock(p_id uuid, expected bigint) returns action language plpgsql as $$
declare
    a action;
begin
    select * into a from action where id = p_id for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, a.version);
    return a;
end
$$;

-- Returns the faults of a change of the due day. An agreed action needs a reason for it, which the log keeps; a reason
-- without a change of the day is a fault.
create function action_due_faults(a action, n action, reason text) returns json[]
language plpgsql stable as $$
begin
    return array[
        case when n.due_on <> a.due_on and a.status <> 'proposed' and reason is null then
            fault('/due_change_reason', 'due_change_reason_required',
                'must explain why the due date of an agreed action changes') end,
        case when n.due_on = a.due_on and reason is not null then
            fault('/due_change_reason', 'only_with_due_change', 'is only allowed with a change of the due date') end,
        case when n.due_on <> a.due_on then early_fault('/due_on', n.due_on,
            (select c.opened_on from review_case c where c.id = a.case_id), 'the case was opened') end];
end
$$;

-- Adds an entry to the log of an action, with its present progress and status, and returns the entry.
create function action_log(a action, what text, on_day date, said text, moved_to date,
    former_evidence text) returns action_update language plpgsql as $$
declare
    u action_update;
begin
    u.id := uuid_v7();
    u.action_id := a.id;
    u.kind := what;
    u.reported_on := on_day;
    u.progress := a.progress;
    u.note := said;
    u.status_after := a.status;
    u.reported_by := claim('organisation');
    u.due_on := moved_to;
    u.evidence := former_evidence;
    return insert_row(u);
end
$$;

-- Changes an action. The owner may only accept it and start it; the committee changes the rest. Refuses with 409 an
-- action that has ended or a status that cannot follow, and with 422 other members from the owner or a broken rule.
create function action_change(p_id uuid, expected bigint, change jsonb) returns reply
language plpgsql as $$
declare
    a action;
    n action;
    reason constant text := change ->> 'due_change_reason';
begin
    if change ? 'depends_on' then -- no other change may close a cycle at the same time
        perform case_advisory_lock(x.case_id) from action x where x.id = p_id;
    end if;
    a := action_lock(p_id, expected);
    n := jsonb_populate_record(a, change);
    perform refuse_move(a, 'action', 'changeAction', a.status);
    if a.committee <> claim('committee') and (change - array['status', 'owner_accepted_on'] <> '{}'
            or n.status <> a.status and not may_move(to_jsonb(a), 'action', 'changeAction', n.status)) then
        perform refuse(422, 'rule_violation', json_build_array(fault('', 'committee_only',
            'can only be changed by the committee; the owner accepts, and reports progress and completion')));
    end if;
    if n.status <> a.status then
        perform refuse_move(a, 'action', 'changeAction', a.status, n.status);
    end if;
    if n.owner_organisation <> a.owner_organisation and not change ? 'owner_accepted_on' then
        n.owner_accepted_on := null; -- the new owner has not accepted it yet
    end if;
    perform refuse_faults(variadic action_faults(a, n, '') || action_due_faults(a, n, reason)
        || case when change ? 'depends_on' then action_dependency_faults(n, '') end || array[
        case when n.status in ('not_achieved', 'superseded') and n.reason is null then
            fault('/reason', 'reason_required', 'is required') end,
        case when n.status not in ('not_achieved', 'superseded') and n.reason is not null then
            fault('/reason', 'only_when_ended',
                'is only allowed for an action that is not achieved or superseded') end]);
    update action set title = n.title, owner_organisation = n.owner_organisation, due_on = n.due_on,
            success_measure = n.success_measure, themes = n.themes, priority = n.priority, scope = n.scope,
            resource_issue = n.resource_issue, status = n.status, reason = n.reason, strategy_id = n.strategy_id,
            owner_role = n.owner_role, contributors = n.contributors, owner_accepted_on = n.owner_accepted_on,
            cog_note = n.cog_note, depends_on = n.depends_on
        where id = p_id returning * into n;
    if reason is not null then
        perform action_log(n, 'due_change', today(), reason, n.due_on, null);
    end if;
    return (200, n.version, null, action_document(n))::reply;
end
$$;

-- The document of one entry in the log of an action.
create function action_update_document(u action_update) returns json language sql stable as $$
    select json_build_object(
        'id', u.id,
        'action_id', u.action_id,
        'kind', u.kind,
        'reported_on', u.reported_on,
        'progress', u.progress,
        'note', u.note,
        'due_on', u.due_on,
        'evidence', u.evidence,
        'status_after', u.status_after,
        'reported_by', u.reported_by,
        'recorded_at', rendered(u.recorded_at))
$$;

-- Records progress (201); the first report on an agreed action starts it. Refuses with 409 an action that is neither
-- agreed nor in progress, and with 422 a day out of order.
create function action_report(p_id uuid, input jsonb) returns reply language plpgsql as $$
declare
    a action := action_lock(p_id, null);
    u action_update := jsonb_populate_record(null::action_update, input);
begin
    perform refuse_unless_found(may_move(to_jsonb(a), 'action', 'addActionUpdate'));
    perform refuse_move(a, 'action', 'addActionUpdate', a.status);
    perform refuse_faults(
        future_fault('/reported_on', u.reported_on),
        early_fault('/reported_on', u.reported_on, case_decision_entered(a.case_id),
            'the stage decision was entered'));
    update action set status = 'in_progress', progress = u.progress where id = p_id returning * into a;
    u := action_log(a, 'progress', u.reported_on, u.note, null, null);
    return (201, null, null, action_update_document(u))::reply;
end
$$;

-- Records that the action is completed, with its evidence (201). Refuses with 409 an action that is neither agreed nor
-- in progress or whose dependencies are open, and with 422 a day out of order.
create function action_complete(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    a action := action_lock(p_id, expected);
    on_day date := (input ->> 'completed_on')::date;
begin
    perform refuse_unless_found(may_move(to_jsonb(a), 'action', 'completeAction'));
    perform refuse_move(a, 'action', 'completeAction', a.status, 'completed');
    perform refuse_faults(
        future_fault('/completed_on', on_day),
        early_fault('/completed_on', on_day, case_decision_entered(a.case_id),
            'the stage decision was entered'));
    update action set status = 'completed', progress = 100, completed_on = on_day,
            completed_by = claim('client'), evidence = input ->> 'evidence'
        where id = p_id returning * into a;
    return (201, a.version, null, action_document(a))::reply;
end
$$;

-- Verifies a completed action for the committee, or returns it to its owner (201). Refuses with 404 every caller but
-- the committee, and with 409 an action that is not completed or the client that reported the completion.
create function action_verify(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    a action := action_lock(p_id, expected);
    on_day date := (input ->> 'verified_on')::date;
    former text;
begin
    perform refuse_unless_found(may_move(to_jsonb(a), 'action', 'verifyAction'));
    perform refuse_move(a, 'action', 'verifyAction', a.status,
        case input ->> 'outcome' when 'returned' then 'in_progress' else 'verified' end);
    perform refuse_faults(
        future_fault('/verified_on', on_day),
        early_fault('/verified_on', on_day, a.completed_on, 'completed_on'));
    if input ->> 'outcome' = 'returned' then
        former := a.evidence;
        update action set status = 'in_progress', completed_on = null, completed_by = null,
            evidence = null where id = p_id returning * into a;
    else
        update action set status = 'verified', verified_on = on_day
            where id = p_id returning * into a;
    end if;
    perform action_log(a, input ->> 'outcome', on_day, coalesce(input ->> 'note', input ->> 'outcome'), null,
        former);
    return (201, a.version, null, action_document(a))::reply;
end
$$;

-- Each action of the case must be verified, not achieved or superseded.
create function guard_actions_ended(c review_case) returns boolean language plpgsql stable as $$
begin
    return not exists (select from action a where a.case_id = c.id and not action_has_ended(a.status));
end
$$;
