-- The settings of a committee: how long its stages may take, and the local holidays of its area. Neither may be set for
-- past days, and neither changes a due day that was already fixed.

-- The document of a timescale; `committee` is null for a default.
create function timescale_document(t timescale) returns json language sql stable as $$
    select json_build_object('stage', t.stage, 'committee', t.committee, 'amount', t.amount, 'unit', t.unit,
        'valid_from', t.valid_from)
$$;

-- The document of a committee's local holiday.
create function local_holiday_document(h local_holiday) returns json language sql stable as $$
    select json_build_object('committee', h.committee, 'holiday_on', h.day, 'name', h.name)
$$;

-- Returns the fault `not_in_the_past` for a day before today; null for today, a later day or null.
create function past_fault(pointer text, day date) returns json language sql stable as $$
    select case when day < today() then fault(pointer, 'not_in_the_past', 'must not be in the past') end
$$;

-- Sets a timescale of the caller's committee (201). Refuses with 403 any other caller, with 422 a past first day, and
-- with 409 a second timescale for the same stage and day.
create function timescale_create(input jsonb) returns reply language plpgsql as $$
declare
    t timescale := jsonb_populate_record(null::timescale, input);
begin
    perform refuse_unless_committee();
    perform refuse_faults(past_fault('/valid_from', t.valid_from));
    insert into timescale (stage, committee, amount, unit, valid_from, recorded_by)
        values (t.stage, claim('committee'), t.amount, t.unit, t.valid_from, claim('organisation'))
        on conflict (stage, committee, valid_from) do nothing
        returning * into t;
    if not found then
        perform conflict_at('/valid_from', 'repeated_timescale',
            'is already the first day of another timescale for this stage');
    end if;
    return (201, null, null, timescale_document(t))::reply;
end
$$;

-- Adds a local holiday of the caller's committee (201). Refuses with 403 any other caller, with 422 a past day, and
-- with 409 a repeated day.
create function local_holiday_create(input jsonb) returns reply language plpgsql as $$
declare
    h local_holiday;
    on_day date := (input ->> 'holiday_on')::date;
begin
    perform refuse_unless_committee();
    perform refuse_faults(past_fault('/holiday_on', on_day));
    insert into local_holiday (committee, day, name, recorded_by)
        values (claim('committee'), on_day, input ->> 'name', claim('organisation'))
        on conflict (committee, day) do nothing
        returning * into h;
    if not found then
        perform conflict_at('/holiday_on', 'repeated_holiday', 'is already a local holiday');
    end if;
    return (201, null, null, local_holiday_document(h))::reply;
end
$$;
