-- Releases: the view of every caller with statistics.read, and its protection against disclosing facts about one child.
--
-- The method (after the PHS statistical disclosure protocol 2.1 of 2023, and the disclosure control of NES):
--  * A small fixed set of tables (statistic_released_table), each a single row of cells and its total: no crossings.
--    All of Scotland by financial year; children, causes, factors and committees by three financial years only.
--  * A figure is released once and never changed, so that the difference between two releases is new periods and
--    nothing else. Corrections appear in the live view. A period that ended before the first data of the register is
--    not released: its zeros would be meaningless.
--  * Primary suppression: a count from 1 to below the threshold; a count that comes from one committee alone; a row
--    whose cells are 0 and 100 % of a total under 20; every cell of a sensitive row with a total under 20.
--  * Secondary suppression: in a row whose cells add up to a total, hidden cells are never alone and never add up to
--    less than the threshold. The cells after the first hidden one are hidden too, whatever their values, because a
--    choice by size would disclose something about size. Given all that is released, each hidden cell can then have
--    any value from 0 up to at least the threshold. Where cells do not add up (a review has several themes), a cell
--    is also hidden if its difference from the total is below the threshold.
--  * Across tables: rows of one universe share their total and nothing else. A total under their least threshold is
--    hidden in every one, with the row. The row of causes of death is hidden with the cell that is its total. A row
--    over three years is hidden if the total of one of its years is.
--  * Medians need ten values; shares are taken of released counts only.
-- tests/statistics computes the least and the greatest possible value of every hidden cell with a solver, and counts
-- all rows of small numbers that would have been released in the same form. tests/statistics/README.md states the cost
-- of the method.

-- Returns which cells of a row must be hidden. The last element is the total's, which other rows may show: their least
-- threshold (`p_total_threshold`) decides about it. `lone` marks cells that come from one committee alone.
create function statistic_protect(vals bigint[], lone boolean[], total bigint, p_threshold integer,
    p_total_threshold integer, p_sensitive boolean, additive boolean) returns boolean[]
language plpgsql immutable as $$
declare
    small_total constant integer := 20;
    cells integer := coalesce(array_length(vals, 1), 0);
    hidden boolean[] := array_fill(false, array[cells]);
    all_hidden constant boolean[] := array_fill(true, array[cells]);
    first_cell integer;
    next_cell integer;
begin
    if total = 0 then
        return hidden || false;
    end if;
    if total < p_threshold or lone[cells + 1] then
        return all_hidden || (total < p_total_threshold or lone[cells + 1]);
    end if;
    if total < small_total and cells > 1 and (p_sensitive or total = any (vals)) then
        return all_hidden || false;
    end if;
    for i in 1 .. cells loop
        hidden[i] := vals[i] > 0 and (vals[i] < p_threshold or lone[i])
            or (not additive or cells = 2) and vals[i] < total and total - vals[i] < p_threshold;
    end loop;
    -- Until there are several hidden cells that add up to enough and leave each other room, hides the next cell after
    -- the first of them, whatever its value: a choice by size would disclose something about size.
    first_cell := array_position(hidden, true);
    while additive and first_cell is not null and false = any (hidden)
            and (select count(*) = 1 or sum(v) < p_threshold or sum(v) <= count(*)
                    or sum(v) >= count(*) * (p_threshold - 1) and max(v) < p_threshold
                from unnest(vals, hidden) u(v, h) where h) loop
        select (first_cell + step - 1) % cells + 1 into next_cell from generate_series(1, cells - 1) step
            where not hidden[(first_cell + step - 1) % cells + 1] order by step limit 1;
        hidden[next_cell] := true;
    end loop;
    return hidden || (additive and cells = 1 and hidden[1]);
end
$$;

-- Returns the cells of one released row: the unit, its count, and whether the count comes from one committee alone.
create function statistic_released_units(p_measure text, p_by text, p_from date, p_to date)
returns table (unit text, n bigint, lone boolean) language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
        with counted as (
            select case p_by when 'committee' then c.scope when 'total' then '' when '' then c.key[1] else c.key[2] end
                    as unit, c.scope, sum(c.n)::bigint as n
            from statistic_cell c
            where c.measure = p_measure and c.month >= p_from and c.month < p_to and c.from_day <= today()
            group by 1, 2 having sum(c.n) <> 0)
        select c.unit, coalesce(sum(c.n) filter (where (c.scope = '*') <> (p_by = 'committee')), 0)::bigint,
            p_by <> 'committee' and count(*) filter (where c.scope <> '*') < 2
        from counted c group by 1;
end
$$;

-- Releases one row of a table: a period with its total, its cells and the figures derived from them.
create function statistic_release_row(p_release text, t statistic_table, r statistic_released_table,
    p_from date, p_to date) returns void language plpgsql as $$
declare
    snapshot constant boolean := r.period_type = 'release';
    cell_from constant date := case when snapshot then '-infinity' else p_from end;
    cell_to constant date := case when snapshot then date '0001-01-01' else p_to end;
    measure text := t.code || case when r.breakdown in ('', 'committee') then '' else '.' || r.breakdown end;
    additive boolean := t.shape not in ('multi', 'holds');
    total_of text := case when additive then t.code else t.code || '#' end;
    units text[] := case r.breakdown when '' then t.categories
        when 'committee' then array(select c.code from committee c order by 1)
        else (select b.groups from statistic_breakdown b where b.table_code = t.code and b.code = r.breakdown) end;
    plain boolean := t.shape = 'days';
    vals bigint[];
    lone boolean[];
    hidden boolean[];
    total bigint;
    total_lone boolean;
begin
    if plain or t.shape = 'actions' then
        units := '{}';
    end if;
    select coalesce(sum(u.n), 0), coalesce(bool_or(u.lone), false) into total, total_lone
        from statistic_released_units(case when t.code = 'days_to_complete' then 'reviews_completed' else total_of end,
            'total', cell_from, cell_to) u;
    select array_agg(coalesce(u.n, 0) order by x.i), array_agg(coalesce(u.lone, false) order by x.i) into vals, lone
        from unnest(units) with ordinality x(unit, i)
        left join statistic_released_units(measure, r.breakdown, cell_from, cell_to) u on u.unit = x.unit;
    if t.shape = 'actions' then
        units := array['overdue', 'not_overdue'];
        select array[coalesce(sum(o.late), 0), coalesce(sum(o.n - o.late), 0)], '{false,false}' into vals, lone
            from statistic_open(t.code, '*') o;
    end if;
    if r.breakdown = 'committee' then
        total := (select coalesce(sum(v), 0) from unnest(vals) v);
        total_lone := false;
    end if;
    hidden := statistic_protect(coalesce(vals, '{}'), coalesce(lone, '{}') || total_lone, total, r.threshold,
        (select min(x.threshold) from statistic_released_table x where x.universe = r.universe), r.sensitive, additive);
    if r.parent is not null and exists (select from statistic_released_cell c
            where c.table_code = r.universe and c.period_from = p_from and c.breakdown = ''
                and c.category = r.parent and c.status = 'confidential')
        or r.period_type = 'three_years' and exists (
            select from statistic_released_cell c join statistic_released_table y
                on (y.table_code, y.breakdown) = (c.table_code, c.breakdown)
            where y.universe = r.universe and y.period_type = 'financial_year' and c.period_from >= p_from
                and c.period_to <= p_to and c.category is null and c.grp is null
                and c.figure in ('count', 'reviews') and c.status = 'confidential') then
        hidden := array_fill(true, array[array_length(hidden, 1)]);
    end if;
    insert into statistic_released_cell (table_code, breakdown, period_from, period_to, release, position, category,
            grp, figure, value, status)
        select t.code, r.breakdown, p_from, p_to, p_release, row_number() over (order by f.i, f.j), f.category, f.grp,
            f.figure, case when f.status = 'released' then f.value end, f.status
        from (
            select x.i, 1 as j, case when r.breakdown = '' then x.unit end as category,
                case when r.breakdown <> '' then x.unit end as grp, 'count' as figure, vals[x.i]::numeric as value,
                case when hidden[x.i] then 'confidential' else 'released' end as status
            from unnest(units) with ordinality x(unit, i) where t.shape <> 'actions'
            union all
            select x.i, 2, x.unit, null, 'share', share_of(vals[x.i], total),
                case when hidden[x.i] or hidden[array_length(hidden, 1)] then 'confidential'
                    when total = 0 then 'not_available' else 'released' end
            from unnest(units) with ordinality x(unit, i) where not additive
            union all
            -- As in the live view: the share of the first category in the first two belongs to the total.
            select 1000, 3, null, null, 'share', share_of(vals[1], vals[1] + vals[2]),
                case when hidden[1] or hidden[2] or hidden[array_length(hidden, 1)] then 'confidential'
                    when vals[1] + vals[2] = 0 then 'not_available' else 'released' end
            where t.shape in ('binary', 'decision_days')
            union all
            select 1000, 2, null, null, 'overdue', vals[1],
                case when hidden[1] or hidden[2] then 'confidential' else 'released' end
            where t.shape = 'actions'
            union all
            select 1000, 1, null, null, case when additive then 'count' else 'reviews' end, total,
                case when hidden[array_length(hidden, 1)] then 'confidential' else 'released' end
            where t.code <> 'days_to_complete'
            union all
            select 1000 + q.n, 2, q.category, null, q.figure, q.value,
                case when total < greatest(10, r.threshold) or hidden[array_length(hidden, 1)] then
                        case when total = 0 then 'not_available' else 'confidential' end
                    when q.value is null then 'not_available' else 'released' end
            from (select row_number() over (order by f.category, f.figure) as n, f.category, f.figure, f.value
                from statistic_figures(t, '', '*', r.period_type, p_from, p_to) f
                where f.figure in ('median_days', 'p90_days') and t.shape in ('days', 'decision_days')) q
        ) f;
end
$$;

-- A release passes through three states. It waits until the changes that existed when it became due are counted. Then
-- `counted_at` is set, and its rows are made in steps. Then `made_at` is set, and readers see it. No change is folded
-- between the last two, so that all rows come from the same sums.

-- Returns at most so many rows that the release still lacks, in the order in which they must be made: every past period
-- of every released table that is at most six years old, not before the first data of the register, and not released
-- before. A table of open items has the day of counting as its period; of releases made on one day, the first has it.
create function statistic_release_lacks(x statistic_release, most integer)
returns table (part statistic_released_table, starts date, ends date) language sql stable as $$
    with day as (select scottish_day(x.counted_at) as counted),
    wanted as (
        select r as part, g.start::date as starts, (g.start + period_length(r.period_type))::date as ends
        from statistic_released_table r, lateral generate_series(
            period_start((x.covers_to - interval '6 years')::date, r.period_type)::timestamp,
            x.covers_to::timestamp - interval '1 day', period_length(r.period_type)) g(start)
        where r.period_type <> 'release' and (g.start + period_length(r.period_type))::date <= x.covers_to
            and g.start >= x.covers_to - interval '6 years'
            and (g.start + period_length(r.period_type))::date > x.first_month
        union all
        select r, day.counted, day.counted + 1 from statistic_released_table r, day where r.period_type = 'release')
    select w.part, w.starts, w.ends
    from wanted w
    where not exists (select from statistic_released_cell c where c.table_code = (w.part).table_code
        and c.breakdown = (w.part).breakdown and c.period_from = w.starts)
    order by (w.part).period_type = 'three_years', (w.part).parent is not null, (w.part).table_code,
        (w.part).breakdown, w.starts
    limit most
$$;

-- Starts a release: from now on it is made of the sums as they are.
create function statistic_release_start(p_name text) returns void language sql as $$
    update statistic_release set counted_at = clock_timestamp(), fault = null, tried_at = clock_timestamp(),
            first_month = (select min(c.month) from statistic_cell c where c.scope = '*' and c.month > '-infinity'),
            not_included = (select count(*) from statistic_subject s where s.fault is not null)
        where name = p_name
$$;

-- Makes at most so many rows of a release, and shows it once it has all. Returns whether rows may be left.
create function statistic_release_rows(p_name text, most integer) returns boolean language plpgsql as $$
declare
    x statistic_release;
    t statistic_table;
    made integer := 0;
    l record;
begin
    select * into strict x from statistic_release where name = p_name;
    for l in select * from statistic_release_lacks(x, most) loop
        select * into strict t from statistic_table where code = (l.part).table_code;
        perform statistic_release_row(x.name, t, l.part, l.starts, l.ends);
        made := made + 1;
    end loop;
    if made < most then
        update statistic_release set made_at = clock_timestamp() where name = p_name;
    end if;
    return made = most;
end
$$;

-- Deletes the rows made of a release so far: it is counted and made again.
create function statistic_release_undo(p_name text, p_fault text) returns void language plpgsql as $$
begin
    delete from statistic_released_cell where release = p_name;
    update statistic_release set counted_at = null, fault = p_fault, tried_at = clock_timestamp(),
            reported = reported and fault is not distinct from p_fault
        where name = p_name;
end
$$;

-- Makes some rows of the release in progress. A release that fails is retried after ten minutes; counting continues
-- meanwhile.
create function statistic_release_step(x statistic_release, most integer) returns void
language plpgsql as $$
begin
    if scottish_day(x.counted_at) < today() then
        perform statistic_release_undo(x.name, null); -- its sums are of yesterday
        return;
    end if;
    perform statistic_release_rows(x.name, most);
exception when others then
    if left(sqlstate, 2) = any ('{40,53,55,57,58}') then
        raise;
    end if;
    perform statistic_release_undo(x.name, sqlstate);
end
$$;

-- Takes the next release whose day has come since this register began, and starts it once the changes that existed on
-- that day are counted. Operators who import older data make the releases of the time before (statistic_release_make).
create function statistic_release_due() returns void language plpgsql as $$
declare
    x statistic_release;
begin
    insert into statistic_release (name, released_on, covers_to, awaits_mark, awaits_delta)
        select p.name, p.released_on, p.covers_to, coalesce((select max(id) from statistic_dirty), 0),
            coalesce((select max(id) from statistic_delta), 0)
        from statistic_release_plan p, statistic_day d
        where p.released_on <= today() and p.released_on > d.installed_on
            and not exists (select from statistic_release y where y.name = p.name)
            and not exists (select from statistic_release y where y.made_at is null)
        order by p.released_on limit 1;
    select * into x from statistic_release y where y.made_at is null
        and (y.fault is null or y.tried_at < now() - interval '10 minutes');
    if found and not exists (select from statistic_dirty where id <= x.awaits_mark)
            and not exists (select from statistic_delta where id <= x.awaits_delta) then
        perform statistic_release_start(x.name);
    end if;
end
$$;

-- Does one step of statistics: some rows of the release in progress, or else some subjects. Returns how many subjects
-- it counted. The caller must hold the lock of statistics.
create function statistic_step(most integer) returns integer language plpgsql as $$
declare
    rows_most constant integer := 20;
    x statistic_release;
    counted integer;
begin
    select * into x from statistic_release y where y.made_at is null and y.counted_at is not null;
    if found then
        perform statistic_release_step(x, rows_most);
        return 0;
    end if;
    perform statistic_retry(20, now() - interval '10 minutes');
    counted := statistic_fold_step(most);
    perform statistic_release_due();
    return counted;
end
$$;

-- Makes a release at once, however long it takes, for scripts and for operators who import older data. It never changes
-- afterwards. Runs as its caller, so that only the owner can make one.
create function statistic_release_make(p_name text, p_released_on date, p_covers_to date) returns void
language plpgsql set search_path from current as $$
begin
    perform statistic_lock();
    while statistic_fold(5000) loop
    end loop;
    insert into statistic_release (name, released_on, covers_to) values (p_name, p_released_on, p_covers_to);
    perform statistic_release_start(p_name);
    while statistic_release_rows(p_name, 1000) loop
    end loop;
end
$$;
