-- Actions: agreeing, doing, completing and verifying what the learning asks for.

create or replace function action_faults(a action) returns json[] language sql stable as $$
    select array[
        case when not exists (select from organisation o where o.code = a.owner_organisation) then
            fault('/owner_organisation', 'unknown_code', 'is not an organisation') end,
        case when a.status <> 'proposed' and a.success_measure is null then
            fault('/success_measure', 'required_when_agreed',
                'is needed before the action can be agreed') end]
$$;

create or replace function action_create(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    a action := jsonb_populate_record(null::action, input);
begin
    if c.stage in ('notification', 'information_gathering', 'recommendation') then
        perform refuse(409, 'state_conflict', json_build_array(fault(null, 'before_decision',
            'Actions can be added from the stage decision on.')));
    end if;
    perform refuse_faults(variadic action_faults(a) || array[
        early_fault('/due_on', a.due_on, c.opened_on, 'the case was opened')]);
    insert into action (id, committee, case_id, case_reference, title, themes, owner_organisation, status,
            due_on, original_due_on, success_measure, priority, scope, resource_issue)
        values (uuid_v7(), c.committee, c.id, c.reference, a.title, a.themes, a.owner_organisation,
            a.status, a.due_on, a.due_on, a.success_measure, a.priority, a.scope, a.resource_issue)
        returning * into a;
    return (201, a.version, '/v1/actions/' || a.id, action_document(a))::reply;
end
$$;

-- Locks an action that the caller may see.
create or replace function action_lock(p_id uuid, expected bigint) returns action language plpgsql as $$
declare
    a action;
begin
    select * into a from action where id = p_id for update;
    if not found then
        perform refuse(404, 'not_found');
    end if;
    perform refuse_stale(expected, a.version);
    return a;
end
$$;

create or replace function action_refuse_ended(a action) returns void language plpgsql as $$
begin
    if a.status in ('verified', 'not_achieved', 'superseded') then
        perform refuse(409, 'state_conflict', json_build_array(
            fault(null, 'action_ended', 'The action has ended as ' || a.status || '.')));
    end if;
end
$$;

create or replace function action_change(p_id uuid, expected bigint, change jsonb) returns reply
language plpgsql as $$
declare
    a action := action_lock(p_id, expected);
    n action := jsonb_populate_record(a, change);
begin
    perform action_refuse_ended(a);
    if a.committee <> claim('committee')
            and (change - 'status' <> '{}' or n.status not in (a.status, 'in_progress')) then
        perform refuse(422, 'rule_violation', json_build_array(fault('', 'committee_only',
            'may be changed by the committee; the owner reports progress and completion')));
    end if;
    if n.status <> a.status and not (a.status, n.status) in (
            ('proposed', 'agreed'), ('agreed', 'in_progress'), ('proposed', 'not_achieved'),
            ('agreed', 'not_achieved'), ('in_progress', 'not_achieved'), ('completed', 'not_achieved'),
            ('proposed', 'superseded'), ('agreed', 'superseded'), ('in_progress', 'superseded'),
            ('completed', 'superseded')) then
        perform refuse(409, 'state_conflict', json_build_array(fault('/status', 'not_a_transition',
            'cannot follow the status ' || a.status)));
    end if;
    perform refuse_faults(variadic action_faults(n) || array[
        case when n.status in ('not_achieved', 'superseded') and n.reason is null then
            fault('/reason', 'reason_required', 'has to say why') end,
        case when n.status not in ('not_achieved', 'superseded') and n.reason is not null then
            fault('/reason', 'only_when_ended', 'is for an action that is not achieved or superseded') end]);
    update action set (title, owner_organisation, due_on, success_measure, themes, priority, scope,
            resource_issue, status, reason)
        = (n.title, n.owner_organisation, n.due_on, n.success_measure, n.themes, n.priority, n.scope,
            n.resource_issue, n.status, n.reason)
        where id = p_id returning * into a;
    return (200, a.version, null, action_document(a))::reply;
end
$$;

create or replace function action_update_document(u action_update) returns json language sql stable as $$
    select json_build_object(
        'id', u.id,
        'action_id', u.action_id,
        'reported_on', u.reported_on,
        'progress', u.progress,
        'note', u.note,
        'status_after', u.status_after,
        'reported_by', u.reported_by,
        'recorded_at', rendered(u.recorded_at))
$$;

-- Records progress; the first report on an agreed action starts it.
create or replace function action_report(p_id uuid, input jsonb) returns reply language plpgsql as $$
declare
    a action := action_lock(p_id, null);
    u action_update := jsonb_populate_record(null::action_update, input);
begin
    if a.status not in ('agreed', 'in_progress') then
        perform refuse(409, 'state_conflict', json_build_array(fault(null, 'not_in_progress',
            'Progress is reported on an action that is agreed or in progress; this one is ' || a.status || '.')));
    end if;
    perform refuse_faults(future_fault('/reported_on', u.reported_on));
    update action set status = 'in_progress', progress = u.progress where id = p_id;
    insert into action_update (id, action_id, reported_on, progress, note, status_after, reported_by)
        values (uuid_v7(), p_id, u.reported_on, u.progress, u.note, 'in_progress', claim('organisation'))
        returning * into u;
    return (201, null, null, action_update_document(u))::reply;
end
$$;

create or replace function action_complete(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    a action := action_lock(p_id, expected);
    on_day date := (input ->> 'completed_on')::date;
begin
    if a.status not in ('agreed', 'in_progress') then
        perform refuse(409, 'state_conflict', json_build_array(fault(null, 'not_in_progress',
            'An action is completed from agreed or in progress; this one is ' || a.status || '.')));
    end if;
    perform refuse_faults(future_fault('/completed_on', on_day));
    update action set status = 'completed', progress = 100, completed_on = on_day,
            completed_by = claim('client'), evidence = input ->> 'evidence'
        where id = p_id returning * into a;
    return (201, a.version, null, action_document(a))::reply;
end
$$;

-- The committee's answer to a completion; never by the client that reported it.
create or replace function action_verify(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    a action := action_lock(p_id, expected);
    on_day date := (input ->> 'verified_on')::date;
begin
    if a.committee <> claim('committee') then
        perform refuse(404, 'not_found');
    end if;
    if a.status <> 'completed' then
        perform refuse(409, 'state_conflict', json_build_array(fault(null, 'not_completed',
            'Only a completed action can be verified; this one is ' || a.status || '.')));
    end if;
    if a.completed_by = claim('client') then
        perform refuse(409, 'state_conflict', json_build_array(fault(null, 'separation_of_duties',
            'Who reported the completion cannot verify it.')));
    end if;
    perform refuse_faults(
        future_fault('/verified_on', on_day),
        early_fault('/verified_on', on_day, a.completed_on, 'completed_on'));
    if input ->> 'outcome' = 'returned' then
        update action set status = 'in_progress', completed_on = null, completed_by = null,
            evidence = null where id = p_id returning * into a;
    else
        update action set status = 'verified', verified_on = on_day
            where id = p_id returning * into a;
    end if;
    insert into action_update (id, action_id, reported_on, progress, note, status_after, reported_by)
        values (uuid_v7(), p_id, on_day, a.progress, coalesce(input ->> 'note', input ->> 'outcome'),
            a.status, claim('organisation'));
    return (201, a.version, null, action_document(a))::reply;
end
$$;

-- Whether the action passes the filters of a list; an absent one lets everything pass.
create or replace function action_fits(a action, filters jsonb) returns boolean
language sql stable as $$
    select (filters ->> 'status' is null or a.status = filters ->> 'status')
        and (filters ->> 'owner' is null or a.owner_organisation = filters ->> 'owner')
        and (filters ->> 'theme' is null or filters ->> 'theme' = any (a.themes))
        and (filters ->> 'case_id' is null or a.case_id = (filters ->> 'case_id')::uuid
            and a.committee = claim('committee'))
        and (filters ->> 'overdue' is null or (a.due_on < today()
            and a.status in ('proposed', 'agreed', 'in_progress')) = (filters ->> 'overdue')::boolean)
        and (filters ->> 'due_from' is null or a.due_on >= (filters ->> 'due_from')::date)
        and (filters ->> 'due_to' is null or a.due_on < (filters ->> 'due_to')::date)
$$;
