-- What a committee sets for itself: how long its stages take, and the days on which its area does not work.
-- Nothing is set for days that have passed, and no due day moves that was fixed before.

create function timescale_document(t timescale) returns json language sql stable as $$
    select json_build_object('stage', t.stage, 'committee', t.committee, 'amount', t.amount, 'unit', t.unit,
        'valid_from', t.valid_from)
$$;

create function local_holiday_document(h local_holiday) returns json language sql stable as $$
    select json_build_object('committee', h.committee, 'holiday_on', h.day, 'name', h.name)
$$;

create function refuse_unless_committee() returns void language plpgsql as $$
begin
    if claim('committee') = '' then
        perform refuse(403, 'organisation_not_allowed');
    end if;
end
$$;

create function past_fault(pointer text, day date) returns json language sql stable as $$
    select case when day < today() then fault(pointer, 'not_in_the_past', 'must not be in the past') end
$$;

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
        perform refuse(409, 'state_conflict', json_build_array(fault('/valid_from', 'repeated_timescale',
            'is already the first day of another timescale for this stage')));
    end if;
    return (201, null, null, timescale_document(t))::reply;
end
$$;

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
        perform refuse(409, 'state_conflict', json_build_array(fault('/holiday_on', 'repeated_holiday',
            'is already a local holiday')));
    end if;
    return (201, null, null, local_holiday_document(h))::reply;
end
$$;
