-- The moves of resources between their states. Rows say which request makes which move, who may make it and which
-- guards must hold (state_transition, state_guard and state_refusal; the rows.sql of each subject). A case has stages
-- instead of states, and its moves are in stage_transition.

-- Whether a guard holds for the row. A guard that only newer code knows does not count: an older version of the program
-- that serves next to it behaves as it did. tests/integration/test_catalogue.py finds guards without a function.
create function guard_holds(r anyelement, guard text) returns boolean language plpgsql stable as $$
declare
    held boolean;
begin
    if to_regproc('guard_' || guard) is null then
        return true;
    end if;
    execute format('select %I($1)', 'guard_' || guard) into held using r;
    return held;
end
$$;

-- Whether the caller is the committee or the organisation that one of the columns names.
create function is_named_in(r jsonb, who text[]) returns boolean language plpgsql stable as $$
begin
    return exists (select from unnest(who) w
        where r ->> w = case when w like '%committee' then claim('committee') else own_organisation() end);
end
$$;

-- Whether the caller is one of those who may make a move with the operation; `p_to` limits the question to one state.
-- Says nothing about the state and the guards.
create function may_move(r jsonb, p_subject text, p_operation text, p_to text default null) returns boolean
language plpgsql stable as $$
begin
    return exists (select from state_transition t
        where t.subject = p_subject and t.operation = p_operation and rules_apply(t.guidance, t.edition)
            and t.to_state = coalesce(p_to, t.to_state) and is_named_in(r, t.who));
end
$$;

-- Whether the operation makes a move from the state; `p_to` limits the question to one destination.
create function has_move(p_subject text, p_operation text, p_from text, p_to text default null) returns boolean
language plpgsql stable as $$
begin
    return exists (select from state_transition t
        where t.subject = p_subject and t.operation = p_operation and rules_apply(t.guidance, t.edition)
            and t.from_state = p_from and t.to_state = coalesce(p_to, t.to_state));
end
$$;

-- Returns the message with the members of the row in the place of {member}.
create function message_for(message text, r jsonb) returns text language plpgsql immutable as $$
declare
    member text;
begin
    for member in select m[1] from regexp_matches(message, '\{(\w+)\}', 'g') m loop
        message := replace(message, '{' || member || '}', r ->> member);
    end loop;
    return message;
end
$$;

-- Refuses with 409 an operation that makes no move from the state.
create function refuse_state(r jsonb, p_subject text, p_operation text, p_from text) returns void
language plpgsql as $$
declare
    f state_refusal;
begin
    select * into strict f from state_refusal x
        where x.subject = p_subject and x.operation = p_operation and rules_apply(x.guidance, x.edition)
            and coalesce(x.from_state, p_from) = p_from
        order by x.from_state nulls last
        limit 1;
    perform conflict_at(f.pointer, f.rule, message_for(f.message, r));
end
$$;

-- Refuses with 409 a move that the operation does not make from the state, and one of which a guard does not hold: the
-- first of its guards that does not. `p_to` is null if it does not matter to which state the move leads.
create function refuse_move(r anyelement, p_subject text, p_operation text, p_from text, p_to text default null)
returns void language plpgsql as $$
declare
    g state_guard;
begin
    if not has_move(p_subject, p_operation, p_from, p_to) then
        perform refuse_state(to_jsonb(r), p_subject, p_operation, p_from);
    end if;
    for g in select x.* from state_transition t
            cross join unnest(t.guards) with ordinality u(code, n)
            join state_guard x on (x.guidance, x.edition, x.code) = (t.guidance, t.edition, u.code)
            where t.subject = p_subject and t.operation = p_operation and rules_apply(t.guidance, t.edition)
                and t.from_state = p_from and t.to_state = p_to
            order by u.n loop
        if not guard_holds(r, g.code) then
            perform conflict(g.rule, message_for(g.message, to_jsonb(r)));
        end if;
    end loop;
end
$$;
