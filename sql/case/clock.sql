-- The clocks of stages: the due day is fixed on entry, and days on which holds stop the clock move it.

-- Returns how many days of a set are from the first day up to, but not including, the second. In plpgsql, which keeps
-- the plan between calls.
create function days_between(days datemultirange, from_day date, to_day date) returns integer
language plpgsql immutable as $$
begin
    if isempty(days) then
        return 0;
    end if;
    return (select coalesce(sum(upper(run) - lower(run)), 0)
        from unnest(days * datemultirange(daterange(from_day, greatest(from_day, to_day)))) run);
end
$$;

-- Returns the due day of a stage whose clock was stopped on the days held. In calendar days and months, each held day
-- up to the moving due day adds one day. In working days, a held day does not count. With no held days, the due day
-- stays as it was fixed, even if timescales and holidays have changed since.
create function held_due_date(entered date, original date, unit text, committee text,
    held datemultirange) returns date language plpgsql stable as $$
declare
    due date := original;
    owed integer;
begin
    if original is null or isempty(held) then
        return original;
    end if;
    if unit = 'working_days' then
        select count(*) into owed from generate_series(1, original - entered) n
            where held @> entered + n and is_working_day(entered + n, committee);
        while owed > 0 loop
            due := due + 1;
            if is_working_day(due, committee) and not held @> due then
                owed := owed - 1;
            end if;
        end loop;
        return due;
    end if;
    loop
        owed := days_between(held, entered, due + 1);
        exit when due = original + owed;
        due := original + owed;
    end loop;
    return due;
end
$$;

-- Returns the days of a stage on which holds stop its clock. A hold that names the stage counts from held_from to the
-- day before lifted_on; an open hold has no end and counts only if `with_open`.
create function stage_holds(s case_stage, with_open boolean) returns datemultirange
language plpgsql stable as $$
begin
    return (select coalesce(range_agg(daterange(h.held_from, h.lifted_on)), '{}')
            * datemultirange(daterange(s.entered_on, s.left_on))
        from case_hold h
        where h.case_id = s.case_id and s.stage = any (h.stages) and (with_open or h.lifted_on is not null));
end
$$;

-- Recomputes the clocks of all stages of a case from its holds. While an open hold stops a clock, the due day includes
-- only lifted holds: the rest is known when the clock runs again.
create function case_stages_refresh(p_case uuid) returns void language plpgsql as $$
declare
    s case_stage;
    held datemultirange;
    since date;
    due date;
begin
    if not case_has_holds(p_case) then
        return;
    end if;
    for s in select * from case_stage where case_id = p_case loop
        held := stage_holds(s, true);
        since := null;
        if upper_inf(held) then
            since := (select max(lower(run)) from unnest(held) run);
            held := stage_holds(s, false);
        end if;
        due := held_due_date(s.entered_on, s.original_due_on, s.unit, s.committee, held);
        update case_stage set due_on = due, held_since = since
            where id = s.id and (due_on is distinct from due or held_since is distinct from since);
    end loop;
end
$$;

-- Recomputes the clocks of the stages, and copies that of the present stage to the case.
create function case_clock_refresh(p_case uuid) returns void language plpgsql as $$
begin
    perform case_stages_refresh(p_case);
    update review_case c set stage_due_on = s.due_on, original_due_on = s.original_due_on,
            revised_due_on = s.revised_due_on, held_since = s.held_since
        from case_stage s
        where c.id = p_case and s.case_id = p_case and s.left_on is null
            and (c.stage_due_on, c.original_due_on, c.revised_due_on, c.held_since)
                is distinct from (s.due_on, s.original_due_on, s.revised_due_on, s.held_since);
end
$$;

-- Begins a stage and fixes its timescale and due day; both are null if no timescale is set.
create function case_stage_enter(c review_case, p_stage text, entered date, reason text, note text)
returns void language plpgsql as $$
declare
    t timescale;
    s case_stage;
begin
    select * into t from stage_timescale(p_stage, c.committee, entered);
    s.id := uuid_v7();
    s.committee := c.committee;
    s.case_id := c.id;
    s.sequence := coalesce((select max(x.sequence) from case_stage x where x.case_id = c.id), 0) + 1;
    s.stage := p_stage;
    s.entered_on := entered;
    s.amount := t.amount;
    s.unit := t.unit;
    s.original_due_on := due_date(entered, t.amount, t.unit, c.committee);
    s.due_on := s.original_due_on;
    s.reason := reason;
    s.note := note;
    s.recorded_by := claim('organisation');
    perform insert_row(s);
end
$$;

-- Returns the first day in the stage decision, before which no action and no event of a review is possible; null if the
-- case has not reached it. Runs as the owner: the owner of an action does not see the case.
create function case_decision_entered(p_case uuid) returns date
language plpgsql stable security definer set search_path from current as $$
begin
    return (select min(s.entered_on) from case_stage s where s.case_id = p_case and s.stage = 'decision');
end
$$;

-- Whether the case has holds, lifted ones included.
create function case_has_holds(p_case uuid) returns boolean language plpgsql stable as $$
begin
    return exists (select from case_hold h where h.case_id = p_case);
end
$$;

-- Returns the days so far on which holds have stopped the clock of a stage.
create function stage_held_days(s case_stage) returns integer language plpgsql stable as $$
begin
    return days_between(stage_holds(s, true), s.entered_on, coalesce(s.left_on, today()));
end
$$;

-- Returns the day up to which the clock of a stage has run.
create function stage_ended_on(s case_stage) returns date language sql stable as $$
    select coalesce(s.left_on, s.held_since, today())
$$;

-- The document of a stay in a stage. `overdue` compares with the revised due day if there is one, `late` never does. A
-- stopped clock makes no stage overdue, but a stage that was late before remains late. The caller says whether the case
-- has holds, so that the stages of a case without holds need no look-up.
create function case_stage_document(s case_stage, has_holds boolean) returns json language sql stable as $$
    select json_build_object(
        'id', s.id,
        'stage', s.stage,
        'entered_on', s.entered_on,
        'original_due_on', s.original_due_on,
        'due_on', s.due_on,
        'revised_due_on', s.revised_due_on,
        'delay_reasons', s.delay_reasons,
        'held_days', case when has_holds then stage_held_days(s) else 0 end,
        'held_since', s.held_since,
        'clock_stopped', s.held_since is not null,
        'left_on', s.left_on,
        'overdue', s.held_since is null and coalesce(greatest(s.due_on, s.revised_due_on) < stage_ended_on(s), false),
        'late', coalesce(s.due_on < stage_ended_on(s), false),
        'recorded_at', rendered(s.recorded_at),
        'recorded_by', s.recorded_by,
        'reason', s.reason,
        'note', s.note,
        'version', s.version,
        'etag', entity_tag(s.version),
        'links', json_build_object(
            'self', '/v1/cases/' || s.case_id || '/stages/' || s.id,
            'case', '/v1/cases/' || s.case_id))
$$;

-- Records the reasons why a stage takes longer, and until when. Refuses with 422 a revised day of a past stage, of a
-- stage without a due day, before the due day, or without a reason. Guidance 2015, web page 9.
create function case_stage_change(p_case uuid, p_id uuid, expected bigint, change jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    s case_stage;
    n case_stage;
    revised date := (change ->> 'revised_due_on')::date;
begin
    select * into s from case_stage where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, s.version);
    n := jsonb_populate_record(s, change);
    perform refuse_faults(
        case when change ? 'revised_due_on' and s.left_on is not null then
            fault('/revised_due_on', 'only_present_stage', 'is only allowed for the current stage') end,
        case when revised is not null and s.due_on is null then
            fault('/revised_due_on', 'no_due_day', 'is only allowed for a stage with a due date') end,
        early_fault('/revised_due_on', revised, s.due_on, 'the due date'),
        case when n.revised_due_on is not null and cardinality(n.delay_reasons) = 0 then
            fault('/delay_reasons', 'delay_reason_required', 'must contain a reason for revising the due date') end);
    update case_stage set delay_reasons = n.delay_reasons, revised_due_on = n.revised_due_on
        where id = p_id returning * into s;
    perform case_clock_refresh(c.id);
    return (200, s.version, null, case_stage_document(s, case_has_holds(p_case)))::reply;
end
$$;
