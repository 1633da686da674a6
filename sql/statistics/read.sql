-- Reading statistics: who may see which view, the allowed parameters, and the response as JSON or CSV.

-- Returns one entry of a problem's list of errors, for a query parameter.
create function parameter_fault(parameter text, rule text, message text) returns json
language sql immutable as $$
    select json_build_object('parameter', parameter, 'rule', rule, 'message', message)
$$;

-- Whether the caller may see the exact figures of all committees: the inspectorate and national bodies whose token has
-- statistics.unsuppressed. The scope has no effect in the token of any other kind of organisation.
create function may_see_all() returns boolean language sql stable as $$
    select has_scope('statistics.unsuppressed') and claim('kind') in ('inspectorate', 'national')
$$;

-- Whether the caller may see exact figures of a committee: a committee or its chief officers their own, and callers
-- that may see all.
create function may_see_live(committee text) returns boolean language sql stable as $$
    select has_scope('statistics.read') and (may_see_all() or coalesce(committee = nullif(claim('area'), ''), false))
$$;

-- Refuses with 403 a caller whose token lacks statistics.read. Callers without a token see what is released.
create function refuse_without_scope() returns void language plpgsql stable as $$
begin
    if coalesce(claim('organisation'), '') <> '' and not has_scope('statistics.read') then
        perform refuse(403, 'scope_missing');
    end if;
end
$$;

-- Returns the scope of the live view about which a reader may learn: '*' for everything, a committee, or '' for none.
create function own_scope() returns text language sql stable as $$
    select case when may_see_all() then '*' else coalesce(claim('area'), '') end
$$;

create type statistic_query as (
    view text, committee text, period_type text, from_day date, to_day date, breakdown text, release text
);

-- The members of a response that describe its rows.
create type statistic_about as (as_of timestamptz, complete boolean, pending bigint, not_included bigint);

create type statistic_row as (
    n bigint, period text, period_from date, period_to date, category text, grp text, figure text, value numeric,
    status text
);

-- Returns how many periods a live response covers by default.
create function default_periods(period_type text) returns integer language sql immutable as $$
    select case period_type when 'month' then 12 when 'quarter' then 8 when 'three_years' then 3 else 5 end
$$;

-- Returns the query of the live view with defaults for absent parameters: up to the period that contains today. Refuses
-- with 422 parameters that are unknown, contradict each other, or ask for more than 120 periods.
create function statistic_live_query(t statistic_table, filters jsonb) returns statistic_query
language plpgsql stable as $$
declare
    q statistic_query;
    step interval;
    end_of_now date;
begin
    q.view := 'live';
    q.committee := filters ->> 'committee';
    q.breakdown := coalesce(filters ->> 'breakdown', '');
    q.period_type := case when t.snapshot then 'day' else coalesce(filters ->> 'period_type', 'financial_year') end;
    step := period_length(q.period_type);
    if t.snapshot then
        q.from_day := today();
        q.to_day := today() + 1;
    else
        end_of_now := (period_start(today(), q.period_type) + step)::date;
        q.to_day := coalesce((filters ->> 'to')::date, greatest(end_of_now,
            ((filters ->> 'from')::date + step)::date));
        q.from_day := coalesce((filters ->> 'from')::date,
            period_start((q.to_day - step * default_periods(q.period_type))::date, q.period_type));
    end if;
    perform refuse_faults(
        case when filters ->> 'release' is not null then
            parameter_fault('release', 'only_released_view', 'is only allowed in the released view') end,
        case when t.snapshot and filters ?| '{from,to,period_type}' then
            parameter_fault(case when filters ? 'from' then 'from' when filters ? 'to' then 'to' else 'period_type' end,
                'snapshot_has_no_period', 'is not allowed for a table of open items') end,
        case when q.committee is not null and not exists (select from committee c where c.code = q.committee) then
            parameter_fault('committee', 'unknown_code', 'is not a committee; GET /v1/reference/committees lists them') end,
        case when q.breakdown <> '' and not exists (select from statistic_breakdown b
                where b.table_code = t.code and b.code = q.breakdown) then
            parameter_fault('breakdown', 'unknown_breakdown', 'is not a breakdown of this table') end,
        case when q.breakdown = 'committee' and q.committee is not null then
            parameter_fault('breakdown', 'one_committee_only', 'by committee is only allowed for all of Scotland') end,
        case when not t.snapshot and q.from_day <> period_start(q.from_day, q.period_type) then
            parameter_fault('from', 'not_start_of_period', 'is not the first day of a period') end,
        case when not t.snapshot and q.to_day <> period_start(q.to_day, q.period_type) then
            parameter_fault('to', 'not_start_of_period', 'is not the first day of a period') end,
        case when q.from_day >= q.to_day then
            parameter_fault('from', 'period_order', 'does not lie before the end') end,
        case when q.from_day < q.to_day - step * 120 then
            parameter_fault('from', 'too_many_periods', 'is more than 120 periods before the end') end);
    return q;
end
$$;

-- Returns the exact rows of the live view, in order.
create function statistic_live_rows(t statistic_table, q statistic_query) returns setof statistic_row
language sql stable as $$
    select row_number() over (order by f.period_from, case when f.category is null then 1 else 0 end,
            array_position(t.categories, f.category), g.n, array_position(t.figures, f.figure)),
        period_label(f.period_from, q.period_type), f.period_from,
        case when t.snapshot then f.period_from + 1 else (f.period_from + period_length(q.period_type))::date end,
        f.category, f.grp, f.figure, f.value, case when f.value is null then 'not_available' else 'exact' end
    from statistic_figures(t, q.breakdown, coalesce(q.committee, '*'), q.period_type, q.from_day, q.to_day) f
    left join unnest((select case when q.breakdown = 'committee' then array(select c.code from committee c order by 1)
            else (select b.groups from statistic_breakdown b where b.table_code = t.code and b.code = q.breakdown) end))
        with ordinality g(code, n) on g.code = f.grp
$$;

-- Returns the query of the released view; the latest release by default. Refuses with 422 parameters of the live view,
-- a breakdown that is not released, and an unknown release.
create function statistic_released_query(t statistic_table, filters jsonb) returns statistic_query
language plpgsql stable as $$
declare
    q statistic_query;
begin
    q.view := 'released';
    q.breakdown := coalesce(filters ->> 'breakdown', '');
    q.release := coalesce(filters ->> 'release', (select r.name from statistic_release r
        where r.made_at is not null order by released_on desc limit 1));
    perform refuse_faults(
        case when filters ? 'period_type' then
            parameter_fault('period_type', 'only_live_view', 'is only allowed in the live view') end,
        case when filters ? 'from' then
            parameter_fault('from', 'only_live_view', 'is only allowed in the live view') end,
        case when filters ? 'to' then parameter_fault('to', 'only_live_view', 'is only allowed in the live view') end,
        case when filters ? 'committee' then
            parameter_fault('committee', 'only_live_view', 'is only allowed in the live view') end,
        case when not exists (select from statistic_released_table r
                where r.table_code = t.code and r.breakdown = q.breakdown) then
            parameter_fault('breakdown', 'not_released', 'is not a released breakdown of this table') end,
        case when filters ? 'release' and not exists (select from statistic_release r
                where r.name = q.release and r.made_at is not null) then
            parameter_fault('release', 'unknown_release', 'is not a release') end);
    select r.period_type into q.period_type from statistic_released_table r
        where r.table_code = t.code and r.breakdown = q.breakdown;
    return q;
end
$$;

-- Returns the rows that were released up to and including the release in the query.
create function statistic_released_rows(t statistic_table, q statistic_query) returns setof statistic_row
language sql stable as $$
    select row_number() over (order by c.period_from, c.position), period_label(c.period_from, q.period_type),
        c.period_from, c.period_to, c.category, c.grp, c.figure, c.value, c.status
    from statistic_released_cell c
    where c.table_code = t.code and c.breakdown = q.breakdown and exists (select from statistic_release r
        join statistic_release asked on asked.name = q.release
        where r.name = c.release and r.made_at is not null and r.released_on <= asked.released_on)
$$;

-- Returns a text as a field of CSV, in quotation marks if it needs them; '' for null. RFC 4180.
create function csv_field(field text) returns text language sql immutable as $$
    select case when field ~ '[",\r\n]' then '"' || replace(field, '"', '""') || '"' else coalesce(field, '') end
$$;

-- Returns a response of statistics as CSV.
create function statistic_csv(t statistic_table, q statistic_query, figures statistic_row[]) returns text
language sql stable as $$
    select E'table,committee,period,period_from,period_to,category,breakdown,group,figure,value,status\r\n'
        || coalesce(string_agg(concat_ws(',', t.code, coalesce(q.committee, ''), csv_field(r.period), r.period_from,
            r.period_to, coalesce(r.category, ''), q.breakdown, coalesce(r.grp, ''), r.figure,
            coalesce(r.value::text, ''), r.status) || E'\r\n', '' order by r.n), '')
    from unnest(figures) r
$$;

-- The document of a table of statistics with its rows.
create function statistic_json(t statistic_table, q statistic_query, about statistic_about,
    figures statistic_row[])
returns json language sql stable as $$
    select json_build_object(
        'table', t.code,
        'label', t.label,
        'definition', t.definition,
        'definitions_version', t.definitions_version,
        'count_of', t.count_of,
        'dated_by', t.dated_by,
        'view', q.view,
        'committee', q.committee,
        'period_type', q.period_type,
        'period_from', (select min(r.period_from) from unnest(figures) r),
        'period_to', (select max(r.period_to) from unnest(figures) r),
        'category', t.category,
        'breakdown', nullif(q.breakdown, ''),
        'release', q.release,
        'as_of', rendered(about.as_of),
        'complete', about.complete,
        'pending', about.pending,
        'not_included', about.not_included,
        'disclosure_control', q.view = 'released',
        'rows', (select coalesce(json_agg(json_build_object('period', r.period, 'period_from', r.period_from,
                'period_to', r.period_to, 'category', r.category, 'group', r.grp, 'figure', r.figure,
                'value', r.value, 'status', r.status) order by r.n), '[]') from unnest(figures) r),
        'links', json_build_object('self', '/v1/statistics/' || t.code, 'tables', '/v1/statistics'))
$$;

-- Returns when a table last changed for a scope, and what its live response does not contain yet.
create function statistic_about_live(p_table text, p_scope text) returns statistic_about
language sql stable as $$
    select (select s.changed_at from statistic_state s where s.table_code = p_table and s.scope = p_scope),
        x.pending = 0 and x.not_included = 0, x.pending, x.not_included
    from statistic_scope_states(p_scope) x
$$;

-- Returns when a release was counted, and whether it is complete. The number of missing cases is null unless the caller
-- may see all.
create function statistic_about_release(p_name text) returns statistic_about language sql stable as $$
    select r.counted_at, r.not_included = 0, null::bigint, case when may_see_all() then r.not_included end
    from (values (1)) always left join statistic_release r on r.name = p_name
$$;

-- Returns the mark of a response: all that it depends on, as statistic_poll reports it. With the scope '', it depends
-- only on the day and the releases.
create function statistic_mark_of(p_scope text) returns text language sql stable as $$
    select coalesce((select statistic_word(s.version, s.pending, s.not_included) from statistic_scope_states(p_scope) s
        where p_scope <> ''), '') || '/' || statistic_times()
$$;

-- Returns the response to one reading, and the mark that shows when it becomes outdated. It counts nothing and waits
-- for no lock: everything comes from the one snapshot of its statement. Refuses with 403, 404 or 422. Runs as the
-- owner, because no caller may read sums directly; it checks itself which figures the caller may see.
create function statistics_read(p_table text, filters jsonb, as_csv boolean)
returns table (scope text, mark text, lasts text, body text)
language plpgsql stable security definer set search_path from current as $$
declare
    t statistic_table;
    q statistic_query;
    about statistic_about;
    figures statistic_row[];
begin
    perform refuse_without_scope();
    select * into t from statistic_table where code = p_table;
    perform refuse_unless_found(found);
    if coalesce(filters ->> 'view', 'released') = 'live' then
        if not may_see_live(filters ->> 'committee') then
            perform refuse(403, 'scope_missing', json_build_array(parameter_fault('view', 'scope_missing',
                'needs the scope statistics.unsuppressed and an organisation that may hold it, except for a '
                'committee''s own figures')));
        end if;
        lasts := 'change';
        q := statistic_live_query(t, filters);
        scope := coalesce(q.committee, '*');
        about := statistic_about_live(t.code, scope);
        figures := array(select r::statistic_row from statistic_live_rows(t, q) r);
    else
        lasts := 'release';
        q := statistic_released_query(t, filters);
        scope := '';
        about := statistic_about_release(q.release);
        figures := array(select r::statistic_row from statistic_released_rows(t, q) r);
    end if;
    mark := statistic_mark_of(scope);
    body := case when as_csv then statistic_csv(t, q, figures) else statistic_json(t, q, about, figures)::text end;
    return next;
end
$$;

-- Returns every table with its definition, its dimensions and its last change for the reader, and the releases. Refuses
-- with 403 a token without statistics.read. Runs as the owner, because no caller may read the state of sums directly.
create function statistics_list() returns table (scope text, mark text, lasts text, body text)
language plpgsql stable security definer set search_path from current as $$
declare
    about statistic_about;
begin
    perform refuse_without_scope();
    scope := own_scope();
    mark := statistic_mark_of(scope);
    lasts := case when scope = '' then 'day' else 'change' end;
    if scope <> '' then
        about := statistic_about_live('', scope);
    end if;
    body := json_build_object(
        'releases', (select coalesce(json_agg(json_build_object('name', r.name, 'released_on', r.released_on,
            'covers_to', r.covers_to, 'counted_at', rendered(r.counted_at), 'complete', r.not_included = 0)
            order by r.released_on), '[]') from statistic_release r where r.made_at is not null),
        'kept_from', (select d.installed_on from statistic_day d),
        'next_release_on', (select min(p.released_on) from statistic_release_plan p where p.released_on > today()),
        'tables', (select json_agg(json_build_object(
            'table', t.code,
            'label', t.label,
            'definition', t.definition,
            'definitions_version', t.definitions_version,
            'count_of', t.count_of,
            'dated_by', t.dated_by,
            'snapshot', t.snapshot,
            'category', t.category,
            'categories', t.categories,
            'figures', t.figures,
            'breakdowns', array(select b.code from statistic_breakdown b where b.table_code = t.code order by 1),
            'released', (select coalesce(json_agg(json_build_object('breakdown', nullif(r.breakdown, ''),
                    'period_type', r.period_type, 'threshold', r.threshold, 'sensitive', r.sensitive)
                    order by r.breakdown), '[]')
                from statistic_released_table r where r.table_code = t.code),
            -- Of the reader's own scope: it must not learn of a change elsewhere.
            'changed_at', (select rendered(s.changed_at) from statistic_state s
                where s.table_code = t.code and s.scope = own.scope),
            'links', json_build_object('self', '/v1/statistics/' || t.code))
            order by t.position)
            from statistic_table t, (select own_scope() as scope) own),
        'pending', about.pending,
        'not_included', about.not_included)::text;
    return next;
end
$$;

-- Only for functions of the owner.
revoke execute on function statistic_fold(integer), statistic_count_all(),
    statistic_release_make(text, date, date) from register_service;
