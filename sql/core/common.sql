-- What every other function stands on: identifiers, the calendar, claims, refusals, rendering.

-- What a write answers: the status of HTTP, and what the response has of version, Location and body.
create type reply as (status integer, version bigint, location text, body json);

-- A time-ordered identifier (RFC 9562, version 7).
create function uuid_v7() returns uuid language sql volatile as $$
    select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- The last day on which a committee keeps what ended on a day; null while it has not ended. Runs as the owner: senders
-- and reviewers see the day, not the rules of the committee.
create function retained_until(p_committee text, ended_on date) returns date
language plpgsql stable security definer set search_path from current as $$
declare
    kept integer;
begin
    if ended_on is null then
        return null;
    end if;
    select r.months into kept from retention_rule r
        where (r.committee = p_committee or r.committee is null) and r.valid_from <= today() and r.withdrawn_on is null
        order by r.committee nulls last, r.valid_from desc
        limit 1;
    return (ended_on + make_interval(months => kept))::date;
end
$$;

-- For how many days events and the log of webhooks stay at the least (LR_FEED_DAYS): functions that run as the owner do
-- not take the caller's word for less.
create function refuse_short_retention(days integer) returns void language plpgsql immutable as $$
begin
    if days is null or days < 7 then
        raise exception 'events are kept for 7 days or more, not for %', days using errcode = 'insufficient_privilege';
    end if;
end
$$;

create function rendered(instant timestamptz) returns text language sql stable as $$
    select to_char(instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- Ends the statement with a problem: the SQLSTATE carries the HTTP status, the message its code,
-- the detail the list of what is wrong.
create function refuse(status integer, code text, errors json default '[]') returns void
language plpgsql as $$
begin
    raise exception using errcode = 'LR' || status, message = code, detail = errors::text;
end
$$;

create function fault(pointer text, rule text, message text) returns json
language sql immutable as $$
    select json_build_object('pointer', pointer, 'rule', rule, 'message', message)
$$;

-- The faults of a day that something is said to have happened on; null when there is none.
create function future_fault(pointer text, day date) returns json language sql stable as $$
    select case when day > today() then fault(pointer, 'date_in_future', 'must not be in the future') end
$$;

create function early_fault(pointer text, day date, earliest date, what text) returns json
language sql immutable as $$
    select case when day < earliest then fault(pointer, 'date_order', 'must not be before ' || what) end
$$;

-- Refuses with every fault that is not null, up to the 100 of a problem; does nothing when there is none.
create function refuse_faults(variadic faults json[]) returns void language plpgsql as $$
declare
    found json := (select json_agg(each order by place)
                   from (select each, place from unnest(faults) with ordinality listed (each, place)
                         where each is not null order by place limit 100) first_ones);
begin
    if found is not null then
        perform refuse(422, 'rule_violation', found);
    end if;
end
$$;

-- Compares the version that If-Match asked for: -1 when it had to be sent and was not, null when it need not be.
create function refuse_stale(expected bigint, actual bigint) returns void
language plpgsql as $$
begin
    if expected = -1 then
        perform refuse(428, 'precondition_required');
    end if;
    if expected is not null and expected <> actual then
        perform refuse(412, 'version_stale');
    end if;
end
$$;

-- The condition of a PUT that makes or replaces: `create_only` asks that nothing is there, `expected` which version
-- is. `actual` is null while nothing is there.
create function refuse_put(create_only boolean, expected bigint, actual bigint) returns void
language plpgsql as $$
begin
    if create_only and actual is not null then
        perform refuse(412, 'version_stale');
    end if;
    if not create_only then
        perform refuse_stale(expected, coalesce(actual, 0));
    end if;
end
$$;

create function is_working_day(day date, committee text) returns boolean
language sql stable as $$
    select extract(isodow from day) < 6
        and not exists (select from bank_holiday b where b.day = is_working_day.day)
        and not exists (select from local_holiday l
            where l.day = is_working_day.day and l.committee = is_working_day.committee)
$$;

-- The last day on which something begun on `start` is on time. Months end on the month's last day
-- where the day does not exist; working days skip weekends and holidays.
create function due_date(start date, amount integer, unit text, committee text) returns date
language sql stable as $$
    select case unit
        when 'calendar_days' then start + amount
        when 'months' then (start + make_interval(months => amount))::date
        else (select day from (
                select day, row_number() over (order by day) as n
                from (select start + offset_days as day
                      from generate_series(1, amount * 2 + 30) offset_days) days
                where is_working_day(day, due_date.committee)) working
            where n = amount)
        end
$$;

-- The timescale of a stage that is entered on `entered` in this committee; none where none is set.
create function stage_timescale(stage text, committee text, entered date) returns setof timescale
language sql stable rows 1 as $$
    select t.*
    from timescale t
    where t.stage = stage_timescale.stage
        and (t.committee = stage_timescale.committee or t.committee is null)
        and t.valid_from <= entered
    order by t.committee nulls last, t.valid_from desc
    limit 1
$$;

-- When a stage entered on `entered` is due in this committee; null when no timescale is set.
create function stage_due(stage text, committee text, entered date) returns date
language sql stable as $$
    select due_date(entered, t.amount, t.unit, stage_due.committee)
    from stage_timescale(stage_due.stage, stage_due.committee, entered) t
$$;

-- The band of a whole number of years; null for an unknown age.
create function age_band(years integer) returns text language sql immutable as $$
    select case when years < 1 then 'under_1' when years < 5 then '1_4' when years < 11 then '5_10'
        when years < 16 then '11_15' when years < 18 then '16_17' when years is not null then '18_25' end
$$;
