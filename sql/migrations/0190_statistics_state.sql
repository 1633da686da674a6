-- Statistics keep their state per table and scope, count each subject by itself, and make releases in steps.

-- When a table last changed for a committee, or for anybody (scope '*'): a caller learns only of its own scope.
alter table statistic_state
    drop constraint statistic_state_pkey,
    add column scope text not null default '*',
    add primary key (table_code, scope);
alter table statistic_state alter column scope drop default;

-- `lane`: the committee whose work it was; the lanes take turns, so that none waits behind the backlog of another.
-- `scopes`: the committees whose figures may change.
alter table statistic_dirty
    add column lane text not null default '',
    add column scopes text[] not null default '{}',
    add column marked_at timestamptz not null default now();
create index on statistic_dirty (lane, id);
create index on statistic_dirty (subject);
alter table statistic_delta
    add column added_at timestamptz not null default now();

-- `fault`: the SQLSTATE with which the facts cannot be computed; such a subject counts nothing. `reported`: the
-- service has logged it.
alter table statistic_subject
    add column scopes text[] not null default '{}',
    add column fault text,
    add column tried_at timestamptz not null default now(),
    add column reported boolean not null default false;
create index on statistic_subject (tried_at) where fault is not null;

-- A release waits until the changes that were there when it became due are counted (`awaits_…`), is then made in
-- steps from the sums as they are at `counted_at`, and is there for readers once `made_at` is set.
alter table statistic_release
    alter column made_at drop not null,
    alter column made_at drop default,
    add column counted_at timestamptz,
    add column awaits_mark bigint not null default 0,
    add column awaits_delta bigint not null default 0,
    add column first_month date,
    add column not_included bigint not null default 0,
    add column fault text,
    add column tried_at timestamptz not null default now(),
    add column reported boolean not null default false;
update statistic_release set counted_at = made_at;

-- What was released so far takes the shape that releases have from now on; no figure changes.
alter table statistic_released_cell drop constraint statistic_released_cell_pkey;

-- Tables of what is open were dated with the day of the release, not with that of their figures. Releases that were
-- made on one day have the same figures: the first of them keeps them.
delete from statistic_released_cell c using statistic_release r, statistic_released_table x
    where r.name = c.release and (x.table_code, x.breakdown) = (c.table_code, c.breakdown)
        and x.period_type = 'release' and exists (select from statistic_release y
            where y.released_on < r.released_on and (y.made_at at time zone 'Europe/London')::date
                = (r.made_at at time zone 'Europe/London')::date);
update statistic_released_cell c
    set (period_from, period_to) = ((r.made_at at time zone 'Europe/London')::date,
        (r.made_at at time zone 'Europe/London')::date + 1)
    from statistic_release r, statistic_released_table x
    where r.name = c.release and (x.table_code, x.breakdown) = (c.table_code, c.breakdown)
        and x.period_type = 'release';

-- `overdue` of open actions is a figure, as it is in the live view, and not a category.
delete from statistic_released_cell
    where table_code = 'actions_open' and (category = 'not_overdue' or figure = 'share');
update statistic_released_cell set (category, figure) = (null, 'overdue')
    where table_code = 'actions_open' and category = 'overdue';

-- A share of the first category in the first two belongs to the row of the total, as in the live view.
delete from statistic_released_cell c using statistic_table t
    where t.code = c.table_code and t.shape = 'binary' and c.figure = 'share' and c.category <> t.categories[1];
update statistic_released_cell c set category = null from statistic_table t
    where t.code = c.table_code and t.shape = 'binary' and c.figure = 'share';
insert into statistic_released_cell (table_code, breakdown, period_from, period_to, release, position, category, grp,
        figure, value, status)
    select a.table_code, a.breakdown, a.period_from, a.period_to, a.release, 1500, null, null, 'share',
        case when a.value + z.value > 0 then round(a.value / (a.value + z.value), 4) end,
        case when 'confidential' in (a.status, z.status) then 'confidential'
            when a.value + z.value > 0 then 'released' else 'not_available' end
    from statistic_released_cell a join statistic_released_cell z
        on (z.table_code, z.breakdown, z.period_from, z.figure) = (a.table_code, a.breakdown, a.period_from, a.figure)
    where a.table_code = 'days_to_decision' and a.figure = 'count' and a.category = 'on_time' and z.category = 'late';

-- Zeros of periods from which this register has nothing at all were no figures.
delete from statistic_released_cell c using statistic_released_table x
    where (x.table_code, x.breakdown) = (c.table_code, c.breakdown) and x.period_type <> 'release'
        and c.period_to <= (select min(s.month) from statistic_cell s where s.scope = '*' and s.month > '-infinity');

alter table statistic_released_cell add primary key (table_code, breakdown, period_from, position);

-- What a case counts is defined anew in places: everything is counted again, in steps.
insert into statistic_dirty (subject, lane, scopes)
    select id, committee, array[committee] from review_case
    union all
    select id, committee, array[committee] from anonymous_review;
