-- Tasks of a case: what a role of the committee or the review team must do by when.

-- Whether the task is open and its due day has passed.
create function task_is_overdue(t task) returns boolean language sql stable as $$
    select t.status = 'open' and t.due_on < today()
$$;

-- The document of a task.
create function task_document(t task) returns json language sql stable as $$
    select json_build_object(
        'id', t.id,
        'case_id', t.case_id,
        'committee', t.committee,
        'title', t.title,
        'details', t.details,
        'owner_role', t.owner_role,
        'due_on', t.due_on,
        'status', t.status,
        'overdue', task_is_overdue(t),
        'done_on', t.done_on,
        'recorded_by', t.recorded_by,
        'created_at', rendered(t.created_at),
        'updated_at', rendered(t.updated_at),
        'version', t.version,
        'etag', entity_tag(t.version),
        'links', json_build_object(
            'self', '/v1/cases/' || t.case_id || '/tasks/' || t.id,
            'case', '/v1/cases/' || t.case_id))
$$;

-- Adds a task, also to a closed case, because the impact of its actions is reviewed later (201). Refuses with 404 a
-- case that the caller does not see, and with 422 a due day before the case was opened.
create function task_add(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_read(p_case);
    t task := jsonb_populate_record(null::task, input);
begin
    perform refuse_faults(early_fault('/due_on', t.due_on, c.opened_on, 'the case was opened'));
    t.id := uuid_v7();
    t.committee := c.committee;
    t.case_id := c.id;
    t.recorded_by := claim('organisation');
    t := insert_row(t);
    return (201, t.version, '/v1/cases/' || c.id || '/tasks/' || t.id, task_document(t))::reply;
end
$$;

-- Changes a task, ends it or opens it again. Refuses with 404, 412 or 428, and with 422 a due day before the case was
-- opened.
create function task_change(p_case uuid, p_id uuid, expected bigint, change jsonb) returns reply
language plpgsql as $$
declare
    t task;
    n task;
begin
    select * into t from task where id = p_id and case_id = p_case for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, t.version);
    n := jsonb_populate_record(t, change);
    perform refuse_faults(early_fault('/due_on', n.due_on, (case_read(p_case)).opened_on, 'the case was opened'));
    update task set title = n.title, details = n.details, owner_role = n.owner_role, due_on = n.due_on,
            status = n.status, done_on = case when n.status = 'done' then coalesce(t.done_on, today()) end
        where id = p_id returning * into t;
    return (200, t.version, null, task_document(t))::reply;
end
$$;

-- Moves the open tasks of a case that is merged to the case in which the work continues.
create function tasks_move(p_from uuid, p_to uuid) returns void language plpgsql as $$
begin
    update task set case_id = p_to where case_id = p_from and status = 'open';
end
$$;
