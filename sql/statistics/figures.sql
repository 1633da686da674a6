-- From sums to figures: periods, medians, and the rows of each table.

-- Returns the length of a period; a year for an unknown type.
create function period_length(period_type text) returns interval language sql immutable as $$
    select case period_type when 'month' then interval '1 month' when 'quarter' then interval '3 months'
        when 'three_years' then interval '3 years' else interval '1 year' end
$$;

-- Returns the first day of the period that contains a day. Financial years begin on 1 April, academic years on 1
-- August. Three years are three financial years, counted from the one that began in 2015.
create function period_start(day date, period_type text) returns date language plpgsql immutable as $$
declare
    t timestamp := day;
    y timestamp;
begin
    case period_type
        when 'month' then return date_trunc('month', t)::date;
        when 'quarter' then return date_trunc('quarter', t)::date;
        when 'calendar_year' then return date_trunc('year', t)::date;
        when 'academic_year' then return (date_trunc('year', t - interval '7 months') + interval '7 months')::date;
        else y := date_trunc('year', t - interval '3 months') + interval '3 months';
    end case;
    if period_type = 'three_years' then
        y := y - make_interval(years => ((extract(year from y)::integer - 2015) % 3 + 3) % 3);
    end if;
    return y::date;
end
$$;

-- Returns the name of a period in responses, as in 2025/26 or 2025-Q3.
create function period_label(start date, period_type text) returns text language sql immutable as $$
    select case period_type
        when 'month' then to_char(start, 'YYYY-MM')
        when 'quarter' then to_char(start, 'YYYY"-Q"Q')
        when 'calendar_year' then to_char(start, 'YYYY')
        when 'three_years' then to_char(start, 'YYYY') || '-' || to_char(start + interval '3 years', 'YY')
        when 'release' then to_char(start, 'YYYY-MM-DD')
        when 'day' then to_char(start, 'YYYY-MM-DD')
        else to_char(start, 'YYYY') || '/' || to_char(start + interval '1 year', 'YY') end
$$;

-- Returns a quantile of a histogram (values in ascending order), interpolated as type 7; null for fewer than five
-- values.
create function histogram_quantile(vals integer[], counts bigint[], share numeric) returns numeric
language plpgsql immutable as $$
declare
    total bigint := 0;
    place numeric;
    low bigint;
    reached bigint := 0;
    lower integer;
begin
    foreach low in array coalesce(counts, '{}') loop
        total := total + low;
    end loop;
    if total < 5 then
        return null;
    end if;
    place := (total - 1) * share;
    low := floor(place);
    for i in 1 .. array_length(vals, 1) loop
        reached := reached + counts[i];
        if lower is null and reached > low then
            lower := vals[i];
        end if;
        if reached > low + 1 or reached = total then
            return trim_scale(lower + (place - low) * (vals[i] - lower));
        end if;
    end loop;
    return null;
end
$$;

-- Returns the sums of a measure by period, category and group, with the histogram of its values. If `p_scope` is null,
-- the groups are the committees.
create function statistic_sums(p_measure text, p_scope text, p_period_type text, p_from date, p_to date)
returns table (period_from date, category text, grp text, n bigint, vals integer[], counts bigint[])
language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
        select h.period_from, h.category, h.grp, sum(h.n)::bigint, array_agg(h.value order by h.value),
            array_agg(h.n::bigint order by h.value)
        from (select p.start::date as period_from, c.key[1] as category,
                case when p_scope is null then c.scope else c.key[2] end as grp, c.value, sum(c.n) as n
            from generate_series(p_from::timestamp, p_to::timestamp - interval '1 day',
                    period_length(p_period_type)) p(start)
            join statistic_cell c on c.measure = p_measure and c.month >= p.start::date
                and c.month < (p.start + period_length(p_period_type))::date
            where c.scope = coalesce(p_scope, c.scope) and (p_scope is not null or c.scope <> '*')
                and c.from_day <= today()
            group by 1, 2, 3, 4) h
        group by 1, 2, 3;
end
$$;

-- Returns the sums of open items by category and group, with how many are late and the histogram of their ages. If
-- `p_scope` is null, the groups are the committees.
create function statistic_open(p_measure text, p_scope text)
returns table (category text, grp text, n bigint, late bigint, vals integer[], counts bigint[])
language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
        select h.category, h.grp, sum(h.n)::bigint,
            coalesce(sum(h.n) filter (where h.value < today() - date '1970-01-01'), 0)::bigint,
            array_agg((today() - date '1970-01-01') - h.value order by h.value desc),
            array_agg(h.n::bigint order by h.value desc)
        from (select c.key[1] as category, case when p_scope is null then c.scope else c.key[2] end as grp, c.value,
                sum(c.n) as n
            from statistic_cell c
            where c.measure = p_measure and c.month = '-infinity' and c.scope = coalesce(p_scope, c.scope)
                and (p_scope is not null or c.scope <> '*')
            group by 1, 2, 3) h
        group by 1, 2;
end
$$;

-- Returns the share of a part in a whole, rounded to four decimals; null for an empty whole.
create function share_of(part bigint, whole bigint) returns numeric language sql immutable as $$
    select case when whole > 0 then round(part::numeric / whole, 4) end
$$;

-- Returns the figures of a table, one row each. Every category of every period has a row, also where it is zero.
-- `p_scope` is a committee, or '*'.
create function statistic_figures(t statistic_table, p_breakdown text, p_scope text, p_period_type text,
    p_from date, p_to date)
returns table (period_from date, category text, grp text, figure text, value numeric)
language plpgsql stable as $$
#variable_conflict use_column
declare
    measure text := t.code || case when p_breakdown in ('', 'committee') then '' else '.' || p_breakdown end;
    scope text := case when p_breakdown <> 'committee' then p_scope end;
    cats text[] := case when t.categories = '{}' then array[null::text] else t.categories end;
    groups text[] := case p_breakdown when '' then array[null::text] when 'committee'
        then array(select c.code from committee c order by c.code)
        else (select b.groups from statistic_breakdown b where b.table_code = t.code and b.code = p_breakdown) end;
begin
    if t.shape = 'caseload' then
        return query
            with opened as (select * from statistic_open('caseload', scope)),
            due as (select * from statistic_open('caseload#due', scope)),
            held as (select * from statistic_open('caseload#held', scope)),
            place as (select c.code as category, c.n as c_n, g.code as grp, g.n as g_n
                from unnest(cats) with ordinality c(code, n), unnest(groups) with ordinality g(code, n))
            select p_from, p.category, p.grp, f.figure, f.value
            from place p
            left join opened o on o.category = p.category and o.grp is not distinct from p.grp
            left join due d on d.category = p.category and d.grp is not distinct from p.grp
            left join held h on h.category = p.category and h.grp is not distinct from p.grp,
            lateral (values (1, 'count', coalesce(o.n, 0)::numeric), (2, 'overdue', coalesce(d.late, 0)),
                (3, 'on_hold', coalesce(h.n, 0)),
                (4, 'median_age_days', histogram_quantile(o.vals, o.counts, 0.5))) f(n, figure, value)
            union all
            select p_from, null, g.code, f.figure, f.value
            from unnest(groups) g(code), lateral (values
                ('count', (select coalesce(sum(o.n), 0) from opened o where o.grp is not distinct from g.code)),
                ('overdue', (select coalesce(sum(d.late), 0) from due d where d.grp is not distinct from g.code)),
                ('on_hold', (select coalesce(sum(h.n), 0) from held h where h.grp is not distinct from g.code))
            ) f(figure, value);
        return;
    end if;
    if t.shape = 'actions' then
        return query
            select p_from, null::text, g.code, f.figure, f.value
            from unnest(groups) g(code)
            left join statistic_open(measure, scope) o on o.grp is not distinct from g.code,
            lateral (values ('count', coalesce(o.n, 0)::numeric), ('overdue', coalesce(o.late, 0))) f(figure, value);
        return;
    end if;
    return query
        with period as (select p.start::date as start
            from generate_series(p_from::timestamp, p_to::timestamp - interval '1 day',
                period_length(p_period_type)) p(start)),
        sums as materialized (select * from statistic_sums(measure, scope, p_period_type, p_from, p_to)),
        place as materialized (select p.start, c.code as category, g.code as grp, s.n, s.vals, s.counts
            from period p cross join unnest(cats) c(code) cross join unnest(groups) g(code)
            left join sums s on s.period_from = p.start and s.category is not distinct from c.code
                and s.grp is not distinct from g.code),
        -- The totals, over the categories of a period and group.
        whole as materialized (select p.start, p.grp, coalesce(sum(p.n), 0)::bigint as n from place p group by 1, 2),
        -- The reviews of which shares are taken, in tables whose categories do not add up.
        base as materialized (select p.start, coalesce(s.n, 0) as n from period p
            left join statistic_sums(t.code || '#', p_scope, p_period_type, p_from, p_to) s on s.period_from = p.start),
        joint as materialized (select p.start, coalesce(s.n, 0) as n from period p
            left join statistic_sums(t.code || '#joint', p_scope, p_period_type, p_from, p_to) s
                on s.period_from = p.start),
        within as materialized (select p.start, coalesce(s.n, 0) as n from period p
            left join statistic_sums(t.code || '#within', p_scope, p_period_type, p_from, p_to) s
                on s.period_from = p.start),
        days as materialized (select s.* from statistic_sums(t.code || '~', p_scope, p_period_type, p_from, p_to) s)
        -- Counts of each category.
        select p.start, p.category, p.grp, 'count', coalesce(p.n, 0)::numeric from place p
            where not (t.categories = '{}' and t.shape = 'days')
        union all
        select p.start, p.category, p.grp, 'share', share_of(coalesce(p.n, 0), b.n)
            from place p join base b on b.start = p.start where t.shape = 'multi'
        union all
        -- Totals.
        select w.start, null, w.grp, 'count', w.n
            from whole w where t.categories <> '{}' and t.shape in ('count', 'binary', 'decision_days', 'publication')
        union all
        select b.start, null, null, 'reviews', b.n from base b where t.shape in ('multi', 'holds')
        union all
        select j.start, null, null, 'of_which_joint', j.n from joint j
            where 'of_which_joint' = any (t.figures) and p_breakdown = ''
        union all
        -- Shares of the first category in the first two.
        select w.start, null, w.grp, 'share', share_of(coalesce(a.n, 0), coalesce(a.n, 0) + coalesce(z.n, 0))
            from whole w
            join place a on a.start = w.start and a.category = t.categories[1] and a.grp is not distinct from w.grp
            join place z on z.start = w.start and z.category = t.categories[2] and z.grp is not distinct from w.grp
            where t.shape in ('binary', 'decision_days')
        union all
        select w.start, null, null, f.figure, f.value
            from whole w join within i on i.start = w.start left join days d on d.period_from = w.start,
            lateral (values ('within_six_months', i.n::numeric), ('share_within_six_months', share_of(i.n, w.n)),
                ('median_days', histogram_quantile(d.vals, d.counts, 0.5))) f(figure, value)
            where t.shape = 'publication'
        union all
        -- Days.
        select p.start, p.category, p.grp, f.figure, f.value
            from place p, lateral (values ('count', coalesce(p.n, 0)::numeric),
                ('median_days', histogram_quantile(p.vals, p.counts, 0.5)),
                ('p90_days', histogram_quantile(p.vals, p.counts, 0.9))) f(figure, value)
            where t.shape = 'days' and (t.categories = '{}' or f.figure <> 'count')
        union all
        select p.start, p.category, null, 'median_days', histogram_quantile(d.vals, d.counts, 0.5)
            from place p left join days d on d.period_from = p.start and d.category = p.category
            where t.shape = 'holds'
        union all
        select w.start, null, w.grp, f.figure, f.value
            from whole w left join (
                select h.period_from, h.grp, array_agg(h.value order by h.value) as vals,
                    array_agg(h.n::bigint order by h.value) as counts
                from (select s.period_from, s.grp, v.value, sum(v.n) as n
                    from sums s, unnest(s.vals, s.counts) v(value, n) group by 1, 2, 3) h
                group by 1, 2) d on d.period_from = w.start and d.grp is not distinct from w.grp,
            lateral (values ('median_days', histogram_quantile(d.vals, d.counts, 0.5)),
                ('p90_days', histogram_quantile(d.vals, d.counts, 0.9))) f(figure, value)
            where t.shape = 'decision_days';
end
$$;
