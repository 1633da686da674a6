-- Reference data: areas, organisations, code lists, stages, timescales and the calendar.
revoke all on schema register from public;
grant usage on schema register to register_service;

create table health_board (
    code text primary key check (code ~ '^S08[0-9]{6}$'),
    name text not null
);

create table committee (
    code text primary key check (code ~ '^[A-Z]{3}$'),
    name text not null,
    kind text not null check (kind in ('child_protection_committee', 'public_protection_committee')),
    health_board text not null references health_board,
    police_division text not null check (police_division ~ '^[A-Z]$')
);

create table local_authority (
    code text primary key check (code ~ '^S12[0-9]{6}$'),
    name text not null,
    committee text not null references committee,
    health_board text not null references health_board
);
create index on local_authority (committee);

-- A former code that senders still use, and the one that replaced it.
create table former_area_code (
    code text primary key check (code ~ '^S(08|12)[0-9]{6}$'),
    replaced_by text not null
);

create table organisation (
    code text primary key check (code ~ '^[A-Z][A-Z0-9-]{1,31}$'),
    kind text not null check (kind in (
        'committee', 'local_authority', 'health_board', 'police', 'prosecution', 'reporter',
        'inspectorate', 'national', 'third_sector')),
    name text not null,
    committee text references committee,
    check ((kind = 'committee') = (committee is not null))
);
create unique index on organisation (committee) where committee is not null;

create table code_list (
    name text primary key check (name ~ '^[a-z][a-z-]*$'),
    label text not null,
    version integer not null default 1 check (version > 0)
);

create table code_entry (
    list text not null references code_list,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_]*$'),
    label text not null,
    description text,
    position integer not null,
    retired boolean not null default false,
    primary key (list, code)
);

-- A criterion of the guidance (2024 edition, chapter 1) and what the facts have to show for it.
create table criterion (
    code text primary key,
    label text not null,
    needs_death boolean not null default false,
    needs_care_and_risk_management boolean not null default false
);

create table stage (
    code text primary key check (code ~ '^[a-z_]+$'),
    position integer not null unique,
    label text not null,
    description text not null,
    terminal boolean not null default false
);

create table stage_guard (
    code text primary key check (code ~ '^[a-z_]+$'),
    message text not null,
    responsible text not null check (responsible in ('committee', 'agency'))
);

create table stage_transition (
    from_stage text not null references stage,
    to_stage text not null references stage,
    label text not null,
    closure text,
    reasons text[] not null default '{}', -- one of them has to be given; none: no reason asked
    guards text[] not null default '{}',
    primary key (from_stage, to_stage),
    check (from_stage <> to_stage)
);

-- How long a stage may take; a committee's own row wins, the latest valid_from that has begun wins.
create table timescale (
    stage text not null references stage,
    committee text references committee,
    amount integer not null check (amount between 1 and 1000),
    unit text not null check (unit in ('calendar_days', 'working_days', 'months')),
    valid_from date not null,
    unique nulls not distinct (stage, committee, valid_from)
);

create table bank_holiday (
    day date primary key,
    name text not null
);

-- Days on which only this committee's area does not work.
create table local_holiday (
    committee text not null references committee,
    day date not null,
    primary key (committee, day)
);

grant select on health_board, committee, local_authority, former_area_code, organisation, code_list,
    code_entry, criterion, stage, stage_guard, stage_transition, timescale, bank_holiday, local_holiday
    to register_service;
