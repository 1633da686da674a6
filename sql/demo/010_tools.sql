-- A demonstration set: invented cases of all committees in every stage, with all their parts. Everything is derived
-- from a seed and from the day of loading, so that some of it is always recent. The files of this folder in their order
-- are one script for psql as a superuser. It does nothing if the register has a case. No row is about a real child.
\set ON_ERROR_STOP on
begin;
select set_config('search_path', name || ', register', true) from register.code_version order by number desc limit 1;
set local client_min_messages to warning;
set local jit to off;
select exists (select from review_case) as loaded \gset
\if :loaded
    \echo 'There are cases already: no demonstration data loaded.'
    rollback;
    \quit
\endif

-- Versions and the record of changes are written as if they had grown over the years (120_record.sql), instead of on
-- the day of loading.
create function pg_temp.triggers(wanted text) returns void language plpgsql as $$
declare
    name text;
begin
    for name in select distinct c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid
            where c.relnamespace = 'register'::regnamespace and not t.tgisinternal loop
        execute format('alter table %I %s trigger user', name, wanted);
    end loop;
end
$$;
select pg_temp.triggers('disable') \g /dev/null

-- A charity with a code of its own, as operators add them.
insert into organisation (code, kind, name) values ('TS-DEMO', 'third_sector', 'A charity of the demonstration')
on conflict do nothing;

-- Returns the number that belongs to the key, from 0 up to (not including) 1.
create function pg_temp.share(key text) returns double precision language sql immutable as $$
    select ('x' || substr(md5('learning-reviews-2024 ' || key), 1, 8))::bit(32)::bigint / 4294967296.0
$$;

-- Returns the whole number that belongs to the key, from `lowest` to `highest`.
create function pg_temp.whole(key text, lowest integer, highest integer) returns integer
language sql immutable as $$
    select lowest + floor(pg_temp.share(key) * (highest - lowest + 1))::integer
$$;

-- Returns one entry of a list.
create function pg_temp.pick(key text, choices text[]) returns text language sql immutable as $$
    select choices[pg_temp.whole(key, 1, cardinality(choices))]
$$;

-- Returns one word of 'word:weight word:weight ...'.
create function pg_temp.weighed(key text, choices text) returns text language plpgsql immutable as $$
declare
    pairs text[] := regexp_split_to_array(trim(choices), '\s+');
    total integer := 0;
    left_over double precision;
    pair text;
begin
    foreach pair in array pairs loop
        total := total + split_part(pair, ':', 2)::integer;
    end loop;
    left_over := pg_temp.share(key) * total;
    foreach pair in array pairs loop
        left_over := left_over - split_part(pair, ':', 2)::integer;
        exit when left_over < 0;
    end loop;
    return split_part(pair, ':', 1);
end
$$;

-- Returns the words of 'word:percent word:percent ...' that come up, in their order.
create function pg_temp.several(key text, choices text) returns text[] language plpgsql immutable as $$
declare
    found text[] := '{}';
    pair text;
begin
    foreach pair in array regexp_split_to_array(trim(choices), '\s+') loop
        if pg_temp.share(key || pair) * 100 < split_part(pair, ':', 2)::integer then
            found := found || split_part(pair, ':', 1);
        end if;
    end loop;
    return found;
end
$$;

-- Returns the time-ordered identifier that belongs to the key.
create function pg_temp.id_of(key text, made timestamptz) returns uuid language sql immutable as $$
    select (lpad(to_hex((extract(epoch from made) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(key), 1, 3) || '8' || substr(md5(key), 4, 15))::uuid
$$;

-- Returns a minute of the working day in Scotland, never later than now.
create function pg_temp.instant(key text, day date) returns timestamptz language sql stable as $$
    select least(now(), (day + make_interval(secs => pg_temp.whole(key || 's', 28800, 61199)))
        at time zone 'Europe/London')
$$;

-- Returns the day itself, or the Friday before a weekend. Keeps the order of days.
create function pg_temp.weekday(day date) returns date language sql immutable as $$
    select day - greatest(extract(isodow from day)::integer - 5, 0)
$$;

-- Returns the day between two days that belongs to the key; the first day if the other one is earlier.
create function pg_temp.between(key text, from_day date, to_day date) returns date language sql immutable as $$
    select greatest(from_day, pg_temp.weekday(from_day
        + pg_temp.whole(key, 0, greatest(to_day - from_day, 0))))
$$;

create function pg_temp.edition(day date) returns text language sql immutable as $$
    select case when day < '2021-09-01' then 'scr_2015' when day < '2024-10-01' then 'child_2021'
        else 'child_2024' end
$$;

-- Returns two or three neutral sentences: `pool` is about a case or about a referral.
create function pg_temp.sentences(key text, pool text) returns text language sql immutable as $$
    select string_agg(sentence, ' ' order by n) from (
        select sentence, n from (values
            ('case', 1, 'Several services worked with the family over a longer time.'),
            ('case', 2, 'The services held different parts of the picture.'),
            ('case', 3, 'Concerns were recorded but not brought together.'),
            ('case', 4, 'Contact with the family was difficult to keep up.'),
            ('case', 5, 'Changes of worker made continuity hard.'),
            ('case', 6, 'The plan was reviewed later than intended.'),
            ('case', 7, 'Adult services and children''s services knew the family separately.'),
            ('case', 8, 'Practitioners described careful and persistent work.'),
            ('referral', 1, 'The agencies involved see learning for how they work together.'),
            ('referral', 2, 'Information was held in several places and was brought together late.'),
            ('referral', 3, 'Earlier concerns were below the threshold of a single service.'),
            ('referral', 4, 'The circumstances were discussed at a multi-agency meeting.'),
            ('referral', 5, 'The planning for the child changed several times.'),
            ('referral', 6, 'There is learning about the support for the family.'),
            ('referral', 7, 'Good practice was seen that others may learn from.')
        ) text_pool(name, n, sentence)
        where name = pool
        order by pg_temp.share(key || n) limit 2 + pg_temp.whole(key, 0, 1)) chosen
$$;

-- Returns another committee.
create function pg_temp.other_committee(key text, own text) returns text language sql stable as $$
    select code from committee where code <> own order by pg_temp.share(key || code) limit 1
$$;

-- Organisations of a committee's area.
create function pg_temp.health_of(committee text) returns text language sql stable as $$
    select 'HB-' || c.health_board from committee c where c.code = health_of.committee
$$;
create function pg_temp.police_of(committee text) returns text language sql stable as $$
    select 'POL-' || c.police_division from committee c where c.code = police_of.committee
$$;

-- The settings of some committees.
insert into timescale (stage, committee, amount, unit, valid_from, recorded_at, recorded_by) values
    ('information_gathering', 'GLA', 21, 'calendar_days', '2025-01-01', '2024-12-02 10:00Z', 'CPC-GLA'),
    ('set_up', 'EDH', 30, 'working_days', '2024-10-01', '2024-09-09 14:30Z', 'CPC-EDH');
insert into local_holiday (committee, day, name, recorded_at, recorded_by)
select 'GLA', first + (8 - extract(isodow from first)::integer) % 7 + 14, 'Fair Monday',
    (first - 200)::timestamp at time zone 'UTC', 'CPC-GLA'
from generate_series(2020, extract(year from today())::integer) year, make_date(year, 7, 1) first;
insert into retention_rule (committee, months, valid_from, announced_on) values
    ('HLD', 144, '2020-01-01', '2019-11-04'), ('GLA', 144, today() + 26, today() - 5);
