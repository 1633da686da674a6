-- The foundation of every other function: identifiers, the calendar, refusals, rendering.

-- The result of a write: the HTTP status, and the version, Location and body of the response, each null where it has
-- none.
create type reply as (status integer, version bigint, location text, body json);

-- Returns the entity tag of a version, as If-Match takes it. RFC 9110, 13.1.1.
create function entity_tag(version bigint) returns text language sql immutable as $$
    select '"' || version::text || '"' -- the cast keeps it immutable, so that it is inlined
$$;

-- Returns a new time-ordered identifier. RFC 9562, version 7.
create function uuid_v7() returns uuid language sql volatile as $$
    select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Returns the last day on which a committee keeps a record that ended on the given day; null while the record has not
-- ended. Runs as the owner: senders and reviewers see the day, not the committee's rules.
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

-- Refuses to delete events or log lines younger than 7 days (LR_FEED_DAYS). Functions that run as the owner call it,
-- because they must not trust a shorter period given by their caller.
create function refuse_short_retention(days integer) returns void language plpgsql immutable as $$
begin
    if days is null or days < 7 then
        raise exception 'events are kept for 7 days or more, not for %', days using errcode = 'insufficient_privilege';
    end if;
end
$$;

-- Returns an instant as the contract writes it: UTC with milliseconds. RFC 3339.
create function rendered(instant timestamptz) returns text language sql stable as $$
    select to_char(instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- Inserts a row and returns it as stored. The statement names the columns that are not null; all others get their
-- defaults, as do columns that a later migration adds. Callers set the members of the row by name, so that no list of
-- values must match a list of columns.
create function insert_row(r anyelement) returns anyelement language plpgsql as $$
declare
    columns text := (select string_agg(quote_ident(key), ', ') from jsonb_each(to_jsonb(r)) where value <> 'null');
begin
    execute format('insert into %s (%s) select %2$s from (select ($1).*) given returning *', pg_typeof(r), columns)
        into r using r;
    return r;
end
$$;

-- Ends the statement with a problem. The SQLSTATE carries the HTTP status, the message the code, and the detail the
-- list of errors.
create function refuse(status integer, code text, errors json default '[]') returns void
language plpgsql as $$
begin
    raise exception using errcode = 'LR' || status, message = code, detail = errors::text;
end
$$;

-- Returns one entry of a problem's list of errors: a JSON pointer to the member, the rule, and the message.
create function fault(pointer text, rule text, message text) returns json
language sql stable as $$
    select json_build_object('pointer', pointer, 'rule', rule, 'message', message)
$$;

-- Returns the fault of a code that the reference data at this address does not have.
create function unknown_code_fault(pointer text, kind text, list text) returns json language sql stable as $$
    select fault(pointer, 'unknown_code', format('is not %s; GET /v1/reference/%s lists them', kind, list))
$$;

-- Refuses with 409 `state_conflict`: the state of the resource forbids the request, whatever its content.
create function conflict(rule text, message text) returns void language plpgsql as $$
begin
    perform refuse(409, 'state_conflict', json_build_array(fault(null, rule, message)));
end
$$;

-- Refuses as `conflict`, for one member of the request.
create function conflict_at(pointer text, rule text, message text) returns void language plpgsql as $$
begin
    perform refuse(409, 'state_conflict', json_build_array(fault(pointer, rule, message)));
end
$$;

-- Refuses with 404 unless the row was found and the caller may see it: `perform refuse_unless_found(found)` behind the
-- statement that reads it.
create function refuse_unless_found(seen boolean) returns void language plpgsql as $$
begin
    if not seen then
        perform refuse(404, 'not_found');
    end if;
end
$$;

-- Returns the fault of a code that is not an organisation; null for an organisation and for null.
create function organisation_fault(pointer text, code text) returns json language plpgsql stable as $$
begin
    if code is not null and organisation_kind(code) is null then
        return unknown_code_fault(pointer, 'an organisation', 'organisations');
    end if;
    return null;
end
$$;

-- Returns a fault for each code that is not an organisation; empty if there are none.
create function organisation_faults(pointer text, codes text[]) returns json[] language plpgsql stable as $$
begin
    return array(select organisation_fault(pointer || '/' || n - 1, code)
        from unnest(codes) with ordinality u(code, n) where organisation_kind(code) is null);
end
$$;

-- Returns the fault `date_in_future` for an event that is dated after today; null if the day is past, today or null.
create function future_fault(pointer text, day date) returns json language sql stable as $$
    select case when day > today() then fault(pointer, 'date_in_future', 'must not be in the future') end
$$;

-- Returns the fault `date_order` for a day before the earliest possible one, which `what` describes; null if the day is
-- not too early or either day is null.
create function early_fault(pointer text, day date, earliest date, what text) returns json
language sql stable as $$
    select case when day < earliest then fault(pointer, 'date_order', 'must not be before ' || what) end
$$;

-- Refuses with 403 `organisation_not_allowed` if the caller is not a committee.
create function refuse_unless_committee() returns void language plpgsql as $$
begin
    if claim('committee') = '' then
        perform refuse(403, 'organisation_not_allowed');
    end if;
end
$$;

-- Refuses with 422 `rule_violation` and the faults that are not null, at most the first 100. Does nothing if all are
-- null.
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

-- Compares the version in If-Match with the row's version: 428 if the header was required and missing (-1), 412 if the
-- versions differ. Does nothing if no version was expected (null). RFC 9110 and RFC 6585.
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

-- Checks the condition of a PUT that creates or replaces: with `create_only` 412 if the resource exists, otherwise as
-- refuse_stale with `expected`. `actual` is null while the resource does not exist. RFC 9110.
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

-- Whether the day is a working day of the committee: no Saturday or Sunday, no bank holiday of Scotland, no local
-- holiday of the committee.
create function is_working_day(day date, committee text) returns boolean
language sql stable as $$
    select extract(isodow from day) < 6
        and not exists (select from bank_holiday b where b.day = is_working_day.day)
        and not exists (select from local_holiday l
            where l.day = is_working_day.day and l.committee = is_working_day.committee)
$$;

-- Returns the last day on which work begun on `start` is on time; null without an amount. A month ends on its last day
-- where the day does not exist in it. Working days skip weekends and holidays.
create function due_date(start date, amount integer, unit text, committee text) returns date
language plpgsql stable as $$
begin
    return case unit
        when 'calendar_days' then start + amount
        when 'months' then (start + make_interval(months => amount))::date
        else (select day from (
                select day, row_number() over (order by day) as n
                from (select start + offset_days as day
                      from generate_series(1, amount * 2 + 30) offset_days) days
                where is_working_day(day, due_date.committee)) working
            where n = amount)
        end;
end
$$;

-- Whether the rules of this edition of a guidance apply. Cases of all editions have the stages, guards, criteria and
-- timescales of one.
create function rules_apply(guidance text, edition text) returns boolean language sql immutable as $$
    select guidance = 'child' and edition = '2024'
$$;

-- Returns the timescale of a stage entered on the given day: the committee's own one, else the default, else no row.
create function stage_timescale(stage text, committee text, entered date) returns setof timescale
language sql stable rows 1 as $$
    select t.*
    from timescale t
    where t.stage = stage_timescale.stage and rules_apply(t.guidance, t.edition)
        and (t.committee = stage_timescale.committee or t.committee is null)
        and t.valid_from <= entered
    order by t.committee nulls last, t.valid_from desc
    limit 1
$$;

-- Returns the due day of a stage that the committee's case enters on the given day; null if no timescale is set.
create function stage_due(stage text, committee text, entered date) returns date
language sql stable as $$
    select due_date(entered, t.amount, t.unit, stage_due.committee)
    from stage_timescale(stage_due.stage, stage_due.committee, entered) t
$$;

-- Returns the age band of a whole number of years; null for an unknown age.
create function age_band(years integer) returns text language sql immutable as $$
    select case when years < 1 then 'under_1' when years < 5 then '1_4' when years < 11 then '5_10'
        when years < 16 then '11_15' when years < 18 then '16_17' when years is not null then '18_25' end
$$;
