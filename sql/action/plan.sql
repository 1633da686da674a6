-- The action plan as a whole: dependencies between actions, and adding, splitting and merging actions.

-- Returns the fault of an action that names a strategy of another case; null if it names one of its own or none. Runs
-- as the owner: the organisation that carries the action out changes it too, and does not see the strategies of the
-- case.
create function action_strategy_fault(n action, base text) returns json
language plpgsql stable security definer set search_path from current as $$
begin
    return case when n.strategy_id is not null and not exists (select from strategy s
            where s.id = n.strategy_id and s.case_id = n.case_id) then
        fault(base || '/strategy_id', 'unknown_strategy', 'is not a strategy of the case') end;
end
$$;

-- Returns these actions and all on which they depend, directly or indirectly.
create function action_dependencies(ids uuid[]) returns setof uuid language plpgsql stable as $$
begin
    return query with recursive behind(id) as (
        select unnest(ids)
        union
        select unnest(a.depends_on) from behind b join action a on a.id = b.id)
    select id from behind;
end
$$;

-- Returns the fault `dependency_cycle` for actions that would depend on each other.
create function action_cycle_fault(base text) returns json language sql immutable as $$
    select fault(base || '/depends_on', 'dependency_cycle', 'would make actions depend on each other')
$$;

-- Returns the faults of an action's dependencies: an action of another case, a cycle.
create function action_dependency_faults(n action, base text) returns json[]
language plpgsql stable as $$
begin
    return array(
        select fault(base || '/depends_on/' || i - 1, 'unknown_action', 'is not an action of the case')
        from unnest(n.depends_on) with ordinality u(id, i)
        where not exists (select from action a where a.id = u.id and a.case_id = n.case_id)
    ) || case when n.id in (select action_dependencies(n.depends_on)) then action_cycle_fault(base) end;
end
$$;

-- Ends actions as superseded by their heirs. Open actions that depended on them then depend on the heirs.
create function actions_supersede(c review_case, gone uuid[], heirs uuid[], why text) returns void
language plpgsql as $$
begin
    update action set status = 'superseded', reason = why, replaced_by = heirs where id = any (gone);
    update action a set depends_on = array(
            select id from unnest(a.depends_on) id where id <> all (gone) union select unnest(heirs))
        where a.case_id = c.id and a.depends_on && gone and not action_has_ended(a.status);
end
$$;

-- Returns the documents of actions as the items of a list without further pages.
create function action_list(actions action[]) returns json language sql stable as $$
    select json_build_object('items', json_agg(action_document(actions[n]) order by n), 'next', null)
    from generate_subscripts(actions, 1) n
$$;

-- Replaces an action by several (201). Refuses with 404 every caller but the committee, with 409 an action that has
-- ended, and with 422 the faults of all parts together.
create function action_split(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    c review_case;
    a action;
    part action;
    parts action[] := '{}';
    faults json[] := '{}';
begin
    select * into a from action where id = p_id;
    perform refuse_unless_found(found and may_move(to_jsonb(a), 'action', 'splitAction'));
    c := case_lock(a.case_id, null);
    a := action_lock(p_id, expected);
    perform case_refuse_closed(c);
    perform refuse_move(a, 'action', 'splitAction', a.status);
    for i in 0 .. jsonb_array_length(input -> 'parts') - 1 loop
        part := action_drafted(c, input -> 'parts' -> i);
        part.replaces := array[a.id];
        faults := faults || action_new_faults(c, part, '/parts/' || i)
            || case when a.id in (select action_dependencies(part.depends_on)) then
                action_cycle_fault('/parts/' || i) end;
        parts := parts || part;
    end loop;
    perform refuse_faults(variadic faults);
    for i in 1 .. cardinality(parts) loop
        parts[i] := action_insert(parts[i]);
    end loop;
    perform actions_supersede(c, array[a.id], array(select (unnest(parts)).id), 'split');
    return (201, null, null, action_list(parts))::reply;
end
$$;

-- Replaces several actions by one (201). Refuses with 409 if one of them has ended, and with 422 the faults of the new
-- action or an action of another case.
create function actions_merge(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    gone uuid[] := array(select jsonb_array_elements_text(input -> 'actions'))::uuid[];
    a action := action_drafted(c, input -> 'into');
    ended json;
begin
    perform from action x where x.case_id = c.id and x.id = any (gone) order by x.id for update;
    select json_agg(fault('/actions/' || i - 1, 'action_ended', 'has ended as ' || x.status) order by i) into ended
        from unnest(gone) with ordinality u(id, i) join action x on x.id = u.id and x.case_id = c.id
        where not has_move('action', 'mergeActions', x.status);
    if ended is not null then
        perform refuse(409, 'state_conflict', ended);
    end if;
    perform refuse_faults(variadic array(
        select fault('/actions/' || i - 1, 'unknown_action', 'is not an action of the case')
        from unnest(gone) with ordinality u(id, i)
        where not exists (select from action x where x.id = u.id and x.case_id = c.id)
        ) || action_new_faults(c, a, '/into')
        || case when gone && array(select action_dependencies(a.depends_on)) then action_cycle_fault('/into') end);
    a.replaces := gone;
    a := action_insert(a);
    perform actions_supersede(c, gone, array[a.id], 'merged');
    return (201, a.version, '/v1/actions/' || a.id, action_document(a))::reply;
end
$$;

-- Returns the faults of the references between the items of a batch: an item that does not exist, a cycle.
create function batch_dependency_faults(items jsonb) returns json[] language plpgsql stable as $$
begin
    return array(
        with recursive item(i, waits_for) as (
            select n - 1, array(select jsonb_array_elements_text(v -> 'depends_on_index'))::integer[]
            from jsonb_array_elements(items) with ordinality u(v, n)),
        behind(i, id) as (
            select i, unnest(waits_for) from item
            union
            select b.i, unnest(t.waits_for) from behind b join item t on t.i = b.id)
        select fault(format('/actions/%s/depends_on_index/%s', i, n - 1), 'unknown_action',
            'is not an action of the batch')
        from item, unnest(waits_for) with ordinality u(id, n) where id >= jsonb_array_length(items)
        union all
        select fault(format('/actions/%s/depends_on_index', i), 'dependency_cycle',
            'would make actions depend on each other')
        from behind where i = id);
end
$$;

-- Adds all actions of a plan to a case, or none of them (201). Refuses with 409 a closed case or one before the stage
-- decision, and with 422 the faults of all items together. Guidance 2024, chapter 5.
create function actions_create(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_for_actions(p_case);
    items constant jsonb := input -> 'actions';
    made action[] := '{}';
    faults json[] := batch_dependency_faults(items);
    ids uuid[] := array(select uuid_v7() from jsonb_array_elements(items));
    a action;
begin
    for i in 0 .. cardinality(ids) - 1 loop
        a := action_drafted(c, items -> i);
        faults := faults || action_new_faults(c, a, '/actions/' || i);
        a.id := ids[i + 1];
        a.depends_on := a.depends_on || array(
            select ids[n::integer + 1] from jsonb_array_elements_text(items -> i -> 'depends_on_index') u(n));
        made := made || a;
    end loop;
    perform refuse_faults(variadic faults);
    for i in 1 .. cardinality(made) loop
        made[i] := action_insert(made[i]);
    end loop;
    return (201, null, null, action_list(made))::reply;
end
$$;
