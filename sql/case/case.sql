-- Cases: their documents, opening, children and moves between stages.

-- Returns the facts by which criteria are checked: outcome and care and risk management of each child. Null for a case
-- without children.
create function case_facts(p_case uuid) returns jsonb language plpgsql stable as $$
begin
    return (select jsonb_agg(jsonb_build_object('outcome', k.outcome, 'carm', k.carm))
        from child k where k.case_id = p_case);
end
$$;

-- Returns the fault of criteria that the facts of the children do not support; null if they support each of them.
-- Guidance 2024, chapter 2.
create function criteria_fault(pointer text, criteria text[], facts jsonb) returns json language plpgsql stable as $$
begin
    if unsupported_criteria(criteria, facts) is not null then
        return fault(pointer, 'criterion_not_supported_by_facts',
            'names a criterion that no child''s outcome supports');
    end if;
    return null;
end
$$;

-- Guards of moves: a function guard_<code> for each code of stage_guard, in the file of the resource that it checks.

-- The case must have at least one child.
create function guard_child_recorded(c review_case) returns boolean language plpgsql stable as $$
begin
    return exists (select from child k where k.case_id = c.id);
end
$$;

-- The facts of the children must support each criterion of the case. Guidance 2024, chapter 2.
create function guard_criteria_supported(c review_case) returns boolean language plpgsql stable as $$
begin
    return unsupported_criteria(c.criteria, case_facts(c.id)) is null;
end
$$;

-- Each referral of the case must be acknowledged. Adult guidance 2022, web page 7.
create function guard_referrers_acknowledged(c review_case) returns boolean
language plpgsql stable as $$
begin
    return not exists (select from referral r where r.case_id = c.id and r.acknowledged_on is null);
end
$$;

-- A decision must be recorded that applies to the present way through the stages. Guidance 2021, chapter 3.
create function guard_decision_recorded(c review_case) returns boolean language sql immutable as $$
    select c.decision_outcome is not null
$$;

-- The committee must have decided to proceed with a learning review.
create function guard_decided_to_proceed(c review_case) returns boolean language sql immutable as $$
    select coalesce(c.decision_outcome = 'proceed', false)
$$;

-- The committee must have decided not to proceed.
create function guard_decided_not_to_proceed(c review_case) returns boolean
language sql immutable as $$
    select coalesce(c.decision_outcome = 'do_not_proceed', false)
$$;

-- The committee must have decided on an alternative review.
create function guard_decided_alternative_review(c review_case) returns boolean
language sql immutable as $$
    select coalesce(c.decision_outcome = 'alternative_review', false)
$$;

-- The committee must have decided that it needs more information.
create function guard_decided_more_information(c review_case) returns boolean
language sql immutable as $$
    select coalesce(c.decision_outcome = 'more_information', false)
$$;

-- Returns the guards of a move that do not hold for the case, in the order given; no row if all hold.
create function guards_missing(c review_case, guards text[]) returns setof stage_guard
language sql stable as $$
    select g.* from unnest(guards) with ordinality u(code, n) join stage_guard g using (code)
    where rules_apply(g.guidance, g.edition) and not guard_holds(c, g.code)
    order by n
$$;

-- Returns the moves that lead out of the case's stage. Each says whether it is possible now, and which guards block it.
create function case_transitions(c review_case) returns json language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object(
        'to', t.to_stage,
        'way', t.way,
        'label', t.label,
        'reasons', t.reasons,
        'possible', blocked.by_guards is null,
        'blocked_by', coalesce(blocked.by_guards, '[]')) order by s.position, t.way), '[]')
    from stage_transition t
    join stage s on s.code = t.to_stage
    cross join lateral (
        select json_agg(json_build_object('guard', g.code, 'message', g.message, 'by', g.responsible,
            'items', (select coalesce(json_agg(i), '[]') from blocking_items(c, g.code) i))) as by_guards
        from guards_missing(c, t.guards) g) blocked
    where t.from_stage = c.stage and rules_apply(t.guidance, t.edition));
end
$$;

-- The document of a case; members that `expand` does not name are null. It is in plpgsql to keep its plans between
-- calls and to read only the tables that are needed.
create function case_document(c review_case, expand text[]) returns json
language plpgsql stable as $$
declare
    self text := '/v1/cases/' || c.id;
    counts json;
    has_holds boolean;
    stages json;
    transitions json;
    children json;
    actions json;
    decision json;
    referrals json;
begin
    select json_build_object(
            'referrals', (select count(*) from referral r where r.case_id = c.id),
            'children', (select count(*) from child k where k.case_id = c.id),
            'actions', count(*),
            'actions_open', count(*) filter (where not action_has_ended(a.status)),
            'actions_overdue', count(*) filter (where action_is_overdue(a)))
        into counts
        from action a where a.case_id = c.id;
    if 'stages' = any (expand) then
        has_holds := case_has_holds(c.id);
        select json_agg(case_stage_document(s, has_holds) order by s.sequence) into stages
            from case_stage s where s.case_id = c.id;
    end if;
    if 'transitions' = any (expand) then
        transitions := case_transitions(c);
    end if;
    if 'children' = any (expand) then
        select coalesce(json_agg(child_document(k) order by k.id), '[]') into children
            from child k where k.case_id = c.id;
    end if;
    if 'actions' = any (expand) then
        select coalesce(json_agg(action_document(a) order by a.due_on, a.id), '[]') into actions
            from action a where a.case_id = c.id;
    end if;
    if 'decision' = any (expand) then
        select decision_document(d) into decision from case_decision d where d.case_id = c.id and d.current;
    end if;
    if 'referrals' = any (expand) then
        select coalesce(json_agg(referral_document(r) order by r.received_at), '[]') into referrals
            from referral r where r.case_id = c.id;
    end if;
    return json_build_object(
        'id', c.id,
        'reference', c.reference,
        'committee', c.committee,
        'local_authority', c.local_authority,
        'review_type', c.review_type,
        'guidance_edition', c.guidance_edition,
        'criteria', c.criteria,
        'summary', c.summary,
        'opened_on', c.opened_on,
        'stage', c.stage,
        'stage_entered_on', c.stage_entered_on,
        'stage_due_on', c.stage_due_on,
        'original_due_on', c.original_due_on,
        'revised_due_on', c.revised_due_on,
        'clock_stopped', c.clock_stopped,
        'held_since', c.held_since,
        'overdue', c.stage_due_or_never < today(),
        'closed_on', c.closed_on,
        'closure', c.closure,
        'earliest_referral_received_on', c.earliest_referral_received_on,
        'legal_hold', c.legal_hold,
        'legal_hold_reason', c.legal_hold_reason,
        'merged_into', c.merged_into,
        'retain_until', retain_until(c),
        'decision_outcome', c.decision_outcome,
        'counts', counts,
        'created_at', rendered(c.created_at),
        'updated_at', rendered(c.updated_at),
        'version', c.version,
        'etag', entity_tag(c.version),
        'links', json_build_object(
            'self', self,
            'stages', self || '/stages',
            'transitions', self || '/transitions',
            'children', self || '/children',
            'actions', self || '/actions',
            'decision', self || '/decision'),
        'stages', stages,
        'transitions', transitions,
        'children', children,
        'actions', actions,
        'decision', decision,
        'referrals', referrals);
end
$$;

-- Returns the identifier of the case with this identifier or reference; null if the caller sees none with the reference.
create function case_named(name text) returns uuid language sql stable as $$
    select case when name like 'LR-%' then (select c.id from review_case c where c.reference = name) else name::uuid end
$$;

-- Takes the next reference of the committee for the year of opening, as in LR-2026-GLA-0042.
create function case_next_reference(committee text, opened date) returns text
language plpgsql as $$
declare
    number integer;
begin
    insert into case_counter as k (committee, year, last)
        values (case_next_reference.committee, extract(year from opened), 1)
        on conflict on constraint case_counter_pkey do update set last = k.last + 1
        returning last into number;
    return format('LR-%s-%s-%s', extract(year from opened), committee, lpad(number::text, 4, '0'));
end
$$;

-- Opens a case of the caller's committee in the stage notification, with the due day that its timescale gives. The
-- argument has the local authority, type, edition, criteria and day of opening, and may have a summary.
create function case_open(c review_case) returns review_case language plpgsql as $$
begin
    c.id := uuid_v7();
    c.committee := claim('committee');
    c.reference := case_next_reference(c.committee, c.opened_on);
    c.stage := 'notification';
    c.stage_entered_on := c.opened_on;
    c.stage_due_on := stage_due(c.stage, c.committee, c.opened_on);
    c.original_due_on := c.stage_due_on;
    c := insert_row(c);
    perform case_stage_enter(c, c.stage, c.opened_on, null, null);
    return c;
end
$$;

-- Adds the children of a referral to the case. A child that the case already has remains unchanged.
create function case_add_children(c review_case, children jsonb) returns void
language sql volatile as $$
    insert into child (id, committee, case_id, child_ref, family_ref, outcome, outcome_first_recorded,
            age_band, age_years, sex, ethnic_group, disability, legal_status, register_status,
            siblings_count_band, known_to, cause_of_death_group, harm_types, carm)
        select uuid_v7(), c.committee, c.id, k.child_ref, k.family_ref, k.outcome, k.outcome, k.age_band,
            k.age_years, k.sex, k.ethnic_group, k.disability, k.legal_status, k.register_status,
            k.siblings_count_band, k.known_to, k.cause_of_death_group, k.harm_types, k.carm
        from jsonb_populate_recordset(null::child, children) k
        on conflict (committee, case_id, child_ref) do nothing
$$;

-- Opens a case without a referral (201). Refuses with 403 a caller that is not a committee, and with 422 an area of
-- another committee, a day of opening in the future or before 1990, and criteria or children that break a rule.
-- Guidance 2024, chapter 2.
create function case_create(input jsonb) returns reply language plpgsql as $$
declare
    -- An earlier day is an error: no review of this kind is older.
    earliest constant date := '1990-01-01';
    c review_case := jsonb_populate_record(null::review_case, input);
begin
    perform refuse_unless_committee();
    perform refuse_faults(variadic array[
        case when not exists (select from local_authority a
                where a.code = c.local_authority and a.committee = claim('committee')) then
            fault('/local_authority', 'outside_committee_area', 'is not in the area of the committee') end,
        future_fault('/opened_on', c.opened_on),
        early_fault('/opened_on', c.opened_on, earliest, to_char(earliest, 'YYYY-MM-DD')),
        criteria_fault('/criteria', c.criteria, input -> 'children')
        ] || children_faults(input -> 'children', '/children'));
    c := case_open(c);
    perform case_add_children(c, input -> 'children');
    return (201, c.version, '/v1/cases/' || c.id, case_document(c, '{}'))::reply;
end
$$;

-- Locks the case and its parts against every other change until the end of the transaction.
create function case_advisory_lock(p_id uuid) returns void language sql volatile as $$
    select pg_advisory_xact_lock(hashtextextended(p_id::text, 0))
$$;

-- Locks and returns a case of the caller's committee. Refuses with 404 any other case, and a stale version as
-- refuse_stale does.
create function case_lock(p_id uuid, expected bigint) returns review_case
language plpgsql as $$
declare
    c review_case;
begin
    perform case_advisory_lock(p_id);
    select * into c from review_case where id = p_id and committee = claim('committee') for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, c.version);
    return c;
end
$$;

-- Refuses with 409 `case_closed` if the case is closed.
create function case_refuse_closed(c review_case) returns void language plpgsql as $$
begin
    if c.stage = 'closed' then
        perform conflict('case_closed', 'The case is closed. Re-open it first.');
    end if;
end
$$;

-- Whether the case is in a stage before this one.
create function case_is_before(c review_case, p_stage text) returns boolean language plpgsql stable as $$
begin
    return (select s.position from stage s where s.code = c.stage)
        < (select s.position from stage s where s.code = p_stage);
end
$$;

-- Refuses with 409, the rule and the message while the case has not reached the stage.
create function case_refuse_before(c review_case, p_stage text, rule text, message text) returns void
language plpgsql as $$
begin
    if case_is_before(c, p_stage) then
        perform conflict(rule, message);
    end if;
end
$$;

-- Returns a case that the caller sees, open or closed. Refuses any other with 404.
create function case_read(p_case uuid) returns review_case language plpgsql stable as $$
declare
    c review_case;
begin
    select * into c from review_case where id = p_case;
    perform refuse_unless_found(found);
    return c;
end
$$;

-- Returns an open case that the caller may see, as its committee or with access to it, and blocks other changes of the
-- case. Row-level security of the part decides whether the caller may write it. Refuses with 404 or, for a closed case,
-- 409.
create function case_lock_visible(p_id uuid) returns review_case language plpgsql as $$
declare
    c review_case;
begin
    perform case_advisory_lock(p_id);
    select * into c from review_case where id = p_id;
    perform refuse_unless_found(found);
    perform case_refuse_closed(c);
    return c;
end
$$;

-- Locks and returns a case of the caller's committee that is not closed; refuses as case_lock and case_refuse_closed
-- do.
create function case_lock_open(p_id uuid, expected bigint) returns review_case
language plpgsql as $$
declare
    c review_case := case_lock(p_id, expected);
begin
    perform case_refuse_closed(c);
    return c;
end
$$;

-- Changes type, criteria and summary of an open case. Refuses with 422 criteria that the facts of the children do not
-- support. Guidance 2024, chapter 2.
create function case_change(p_id uuid, expected bigint, change jsonb) returns reply
language plpgsql as $$
declare
    c review_case := case_lock(p_id, expected);
    n review_case;
begin
    perform case_refuse_closed(c);
    n := jsonb_populate_record(c, change);
    perform refuse_faults(
        case when change ? 'criteria' then criteria_fault('/criteria', n.criteria, case_facts(c.id)) end);
    update review_case set review_type = n.review_type, criteria = n.criteria, summary = n.summary
        where id = p_id returning * into c;
    return (200, c.version, null, case_document(c, '{}'))::reply;
end
$$;

-- Moves the case from its stage to another: writes the history, starts the clock, and updates the stage that referrers
-- see. Checks no guard.
create function case_change_stage(c review_case, p_stage text, on_day date, p_closure text, reason text, note text,
    p_into uuid default null) returns review_case language plpgsql as $$
declare
    s case_stage;
    moved review_case;
begin
    update case_stage set left_on = on_day, held_since = null where case_id = c.id and left_on is null;
    perform case_stage_enter(c, p_stage, on_day, reason, note);
    perform case_stages_refresh(c.id);
    select * into s from case_stage x where x.case_id = c.id and x.left_on is null;
    update review_case set stage = p_stage, stage_entered_on = on_day, stage_due_on = s.due_on,
            original_due_on = s.original_due_on, revised_due_on = s.revised_due_on, held_since = s.held_since,
            closed_on = case when p_stage = 'closed' then on_day end,
            closure = case when p_stage = 'closed' then p_closure end,
            merged_into = p_into,
            decision_outcome = case when p_stage = 'information_gathering' then null else c.decision_outcome end
        where id = c.id returning * into moved;
    update referral set case_stage = moved.stage, case_decision = moved.decision_outcome where case_id = c.id;
    return moved;
end
$$;

-- Moves the case to another stage (201). Refuses with 409 `transition_not_possible` and every guard that does not hold,
-- and with 422 a day out of order or a missing reason.
create function case_move(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    c review_case := case_lock(p_id, expected);
    t stage_transition;
    on_day date := (input ->> 'occurred_on')::date;
    blocked json;
begin
    select * into t from stage_transition
        where from_stage = c.stage and to_stage = input ->> 'to' and way = coalesce(input ->> 'way', way)
            and rules_apply(guidance, edition)
        order by way <> 'ordinary', way
        limit 1;
    if not found then
        perform refuse(409, 'transition_not_possible', json_build_array(not_a_transition_fault(c)));
    end if;
    blocked := move_faults(c, t.guards);
    if blocked is not null then
        perform refuse(409, 'transition_not_possible', blocked);
    end if;
    perform refuse_faults(
        future_fault('/occurred_on', on_day),
        early_fault('/occurred_on', on_day, c.stage_entered_on, 'the current stage was entered'),
        case when cardinality(t.reasons) > 0
                and (input ->> 'reason' is null or input ->> 'reason' <> all (t.reasons)) then
            fault('/reason', 'reason_required', 'must be one of: ' || array_to_string(t.reasons, ', ')) end);
    c := case_change_stage(c, t.to_stage, on_day, t.closure, input ->> 'reason', input ->> 'note');
    if c.stage = 'closed' then
        perform information_withdraw_open(c);
    end if;
    if t.way = 'discontinue' then
        perform notices_make(c, 'discontinued', on_day);
    end if;
    if c.stage = 'reporting' then
        perform report_reopen(c);
    end if;
    return (201, c.version, null, case_document(c, '{}'))::reply;
end
$$;

-- Adds a child to an open case (201), and makes the decision notices that the child calls for. Refuses with 409
-- `repeated_child` a child that the case already has.
create function child_add(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    k child;
    wrapped jsonb := jsonb_build_array(input);
begin
    perform refuse_faults(variadic child_faults(input, ''));
    if exists (select from child x where x.case_id = c.id and x.child_ref = input ->> 'child_ref') then
        perform conflict_at('/child_id', 'repeated_child', 'duplicates a child already on the case');
    end if;
    perform case_add_children(c, wrapped);
    perform decision_notify_late_recipients(c.id);
    select * into k from child x where x.case_id = c.id and x.child_ref = input ->> 'child_ref';
    return (201, k.version, '/v1/cases/' || c.id || '/children/' || k.id, child_document(k))::reply;
end
$$;

-- Changes a child of an open case, and makes the decision notices that the change calls for. Refuses with 422 a cause
-- of death or a day of the National Hub for a child who did not die, and an age outside its band.
create function child_change(p_case uuid, p_id uuid, expected bigint, change jsonb)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    k child;
    n child;
begin
    select * into k from child where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, k.version);
    n := jsonb_populate_record(k, change);
    perform refuse_faults(variadic array[
        future_fault('/national_hub_submitted_on', n.national_hub_submitted_on),
        case when n.national_hub_submitted_on is not null and n.outcome <> 'died' then
            fault('/national_hub_submitted_on', 'only_for_a_death', 'is only allowed for a child who died') end,
        case when n.cause_of_death_group is not null and n.outcome <> 'died' then
            fault('/cause_of_death_group', 'only_for_a_death', 'is only allowed for a child who died') end,
        case when n.age_band <> age_band(n.age_years) then
            fault('/age_years', 'age_outside_band', 'is not in the age band') end]);
    update child set outcome = n.outcome, age_band = n.age_band, age_years = n.age_years, sex = n.sex,
            ethnic_group = n.ethnic_group, disability = n.disability, legal_status = n.legal_status,
            register_status = n.register_status, siblings_count_band = n.siblings_count_band, known_to = n.known_to,
            cause_of_death_group = n.cause_of_death_group, harm_types = n.harm_types, carm = n.carm,
            national_hub_submitted_on = n.national_hub_submitted_on
        where id = p_id returning * into k;
    perform decision_notify_late_recipients(c.id);
    return (200, k.version, null, child_document(k))::reply;
end
$$;
