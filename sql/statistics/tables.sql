-- Statistics: facts, their sums, releases, and figures published elsewhere.
--
-- Writers do not wait for each other: they only add rows to statistic_dirty and statistic_delta. The service folds
-- these rows into statistic_cell.

-- ---- Facts and sums ----

create type statistic_fact as (
    measure text,
    scopes text[],      -- committees, and '*' for all of Scotland
    month date,
    key text[],         -- category and group
    value integer,      -- a number of days, of which the median is needed, or a day; otherwise 0
    from_day date       -- the fact counts from this day
);

-- The facts that a case or an erased case counts at present. A change of the case replaces them.
create table statistic_subject (
    subject uuid primary key,                       -- review_case or anonymous_review
    facts statistic_fact[] not null,
    scopes text[] not null default '{}',
    fault text,                                     -- SQLSTATE: its facts cannot be computed, and it counts nothing
    tried_at timestamptz not null default now(),
    reported boolean not null default false         -- the service has logged the fault
);
create index on statistic_subject (tried_at) where fault is not null;

-- Cases and erased cases that changed since they were last counted. Writers only add rows.
create table statistic_dirty (
    id bigint generated always as identity primary key,
    subject uuid not null,
    lane text not null default '',                  -- the committee; lanes take turns, so that none waits for another
    scopes text[] not null default '{}',            -- committees whose figures may change
    marked_at timestamptz not null default now()
);
create index on statistic_dirty (lane, id);
create index on statistic_dirty (subject);

-- Numbers to add to the sums. Writers only add rows.
create table statistic_delta (
    id bigint generated always as identity primary key,
    measure text not null,
    scope text not null,
    month date not null,
    key text[] not null,
    n bigint not null,
    added_at timestamptz not null default now()
);

-- The sums: how many facts have the same measure, scope, month, key and value.
create table statistic_cell (
    measure text not null,
    scope text not null,
    month date not null,
    key text[] not null,
    value integer not null,
    from_day date not null,
    n bigint not null,
    primary key (measure, scope, month, key, value, from_day)
) with (fillfactor = 80);
create index on statistic_cell (measure) where n = 0;
create index on statistic_cell (from_day) where from_day > '-infinity';

-- ---- Live view ----

-- The tables that the contract documents. The code defines the rows.
create table statistic_table (
    code text primary key check (code ~ '^[a-z][a-z_]*$'),
    position integer not null unique,
    label text not null,
    definition text not null,
    count_of text not null check (count_of in ('referrals', 'reviews', 'children', 'findings', 'actions')),
    dated_by text not null,                         -- the event whose date decides on the period
    shape text not null check (shape in ('count', 'multi', 'binary', 'days', 'decision_days', 'publication', 'holds',
        'caseload', 'actions')),
    snapshot boolean not null,                      -- the state on a day, and not the events of a period
    category text,                                  -- what the categories are
    categories text[] not null,
    figures text[] not null,
    definitions_version integer not null default 1
);

create table statistic_breakdown (
    table_code text not null references statistic_table,
    code text not null check (code ~ '^[a-z][a-z_]*$'),
    groups text[] not null,
    primary key (table_code, code)
);

-- When a table last changed for a committee, or for any (scope '*'): a caller learns only of its own scope. Only
-- folding changes these rows.
create table statistic_state (
    table_code text not null references statistic_table,
    scope text not null,
    version bigint not null,
    changed_at timestamptz not null,
    primary key (table_code, scope)
);
create sequence statistic_version;

create table statistic_day (
    single boolean primary key default true check (single),
    day date not null,                              -- the last day that folding has processed
    installed_on date not null                      -- the first day of this register
);

-- ---- Releases ----

-- The released tables, and how each is protected: see the method of releases next to the functions.
create table statistic_released_table (
    table_code text not null references statistic_table,
    breakdown text not null,                        -- '' for none
    period_type text not null check (period_type in ('financial_year', 'three_years', 'release')),
    universe text not null,                         -- tables of one universe and period have the same total
    parent text,                                    -- table/category of the cell that is this table's total
    threshold integer not null check (threshold between 5 and 1000),    -- less would leave a hidden cell few values
    sensitive boolean not null,
    primary key (table_code, breakdown)
);

create table statistic_release_plan (
    released_on date primary key,
    name text not null unique check (name ~ '^[0-9]{4}(-[0-9]{1,2})?$'),
    covers_to date not null check (covers_to <= released_on)
);

-- A release waits until the changes that existed on its day are counted. It is then made in steps from the sums as they
-- are at counted_at. Readers see it once made_at is set.
create table statistic_release (
    name text primary key,
    released_on date not null unique,
    covers_to date not null,
    awaits_mark bigint not null default 0,          -- last row of statistic_dirty to count
    awaits_delta bigint not null default 0,         -- last row of statistic_delta to count
    counted_at timestamptz,
    first_month date,                               -- of the sums: periods that ended before are not released
    not_included bigint not null default 0,         -- subjects whose facts could not be computed
    made_at timestamptz,
    fault text,                                     -- SQLSTATE: a step failed
    tried_at timestamptz not null default now(),
    reported boolean not null default false         -- the service has logged the fault
);

-- Released once and never changed: later releases only add periods.
create table statistic_released_cell (
    table_code text not null references statistic_table,
    breakdown text not null,
    period_from date not null,
    period_to date not null,
    position integer not null,
    release text not null references statistic_release,
    category text,
    grp text,
    figure text not null,
    value numeric,
    status text not null check (status in ('released', 'confidential', 'not_available')),
    primary key (table_code, breakdown, period_from, position),
    check ((status = 'released') = (value is not null))
);

-- ---- Figures of reviews that were published before the register began ----

create table published_review (
    code text primary key,
    title text not null,
    publisher text not null,
    period_from date not null,
    period_to date not null,
    source text not null,
    note text not null
);

create table published_figure (
    review text not null references published_review,
    position integer not null,
    subject text not null check (subject in ('reviews', 'children')),
    dimension text not null,
    category text not null,
    value integer not null check (value >= 0),
    comparable_with text,                           -- the table and category of the register that counts the same
    primary key (review, position)
);
