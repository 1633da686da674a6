-- Statistics: what is counted, kept as sums that a figure is read from; releases of them; and what others published.
--
-- Writers never wait for each other here: they only add rows to statistic_delta and statistic_dirty. Whoever looks
-- next folds those rows into statistic_cell (sql/functions/096_statistics_fold.sql).

-- One thing that counts. `scopes`: committees and '*' for all of Scotland. `value`: a number of days of which the
-- median is wanted, or a day; else 0. `from_day`: what counts from a day to come on.
create type statistic_fact as (measure text, scopes text[], month date, key text[], value integer, from_day date);

-- What a case (or what is left of an erased one) counts at present, to know the difference when it changes.
create table statistic_subject (
    subject uuid primary key,
    facts statistic_fact[] not null
);

-- Cases and anonymous reviews that have changed since they were last counted. Only ever added to by writers.
create table statistic_dirty (
    id bigint generated always as identity primary key,
    subject uuid not null
);

-- What is to be added to sums. Only ever added to by writers.
create table statistic_delta (
    id bigint generated always as identity primary key,
    measure text not null,
    scope text not null,
    month date not null,
    key text[] not null,
    n bigint not null
);

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

-- The tables that the contract documents.
create table statistic_table (
    code text primary key check (code ~ '^[a-z][a-z_]*$'),
    position integer not null unique,
    label text not null,
    definition text not null,
    count_of text not null check (count_of in ('referrals', 'reviews', 'children', 'findings', 'actions')),
    dated_by text not null,
    shape text not null check (shape in ('count', 'multi', 'binary', 'days', 'decision_days', 'publication', 'holds',
        'caseload', 'actions')),
    snapshot boolean not null,
    category text,
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

-- When a table last changed. Only folding changes these rows.
create table statistic_state (
    table_code text primary key references statistic_table,
    version bigint not null,
    changed_at timestamptz not null
);
create sequence statistic_version;

-- The last day that folding has seen; the first day of this register.
create table statistic_day (
    single boolean primary key default true check (single),
    day date not null,
    installed_on date not null
);

-- What is released of a table, and how it is protected: see README of sql/functions/097_statistics_release.sql.
create table statistic_released_table (
    table_code text not null references statistic_table,
    breakdown text not null, -- '' for none
    period_type text not null check (period_type in ('financial_year', 'three_years', 'release')),
    universe text not null,  -- tables of one universe and period have the same total
    parent text,             -- the cell of another table that is this table's total, as table/category
    threshold integer not null check (threshold between 5 and 1000), -- lower ones leave hidden cells too little room
    sensitive boolean not null,
    primary key (table_code, breakdown)
);

create table statistic_release_plan (
    released_on date primary key,
    name text not null unique check (name ~ '^[0-9]{4}(-[0-9]{1,2})?$'),
    covers_to date not null check (covers_to <= released_on)
);

create table statistic_release (
    name text primary key,
    released_on date not null unique,
    covers_to date not null,
    made_at timestamptz not null default now()
);

-- Released once, never changed: later releases only add periods.
create table statistic_released_cell (
    table_code text not null references statistic_table,
    breakdown text not null,
    period_from date not null,
    period_to date not null,
    release text not null references statistic_release,
    position integer not null,
    category text,
    grp text,
    figure text not null,
    value numeric,
    status text not null check (status in ('released', 'confidential', 'not_available')),
    primary key (table_code, breakdown, period_from, position),
    check ((status = 'released') = (value is not null))
);

-- Figures of reviews that were published before the register began.
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
    comparable_with text, -- the table and category of the register that counts the same
    primary key (review, position)
);

-- What was merged into a case counts there.
create index on review_case (merged_into) where merged_into is not null;
