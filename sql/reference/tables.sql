-- Reference data: areas, organisations, code lists, criteria and the calendar.

-- ---- Areas and organisations ----

create table health_board (
    code text primary key check (code ~ '^S08[0-9]{6}$'),
    name text not null
);

-- A child protection committee or public protection committee, with its area.
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

-- A former code that senders still use, and its replacement.
create table former_area_code (
    code text primary key check (code ~ '^S(08|12)[0-9]{6}$'),
    replaced_by text not null
);

create table organisation (
    code text primary key check (code ~ '^[A-Z][A-Z0-9-]{1,31}$'),
    name text not null,
    kind text not null check (kind in ('committee', 'chief_officers_group', 'local_authority',
        'health_board', 'police', 'prosecution', 'reporter', 'inspectorate', 'national', 'third_sector', 'independent',
        'auditor')),
    committee text references committee,            -- the committee that this organisation is
    area text references committee,                 -- of a chief officers group
    -- Several bodies share the code: their records belong to a client, and not to the organisation.
    collective boolean not null default false,
    check ((kind = 'committee') = (committee is not null)),
    check ((kind = 'chief_officers_group') = (area is not null))
);
create unique index on organisation (committee) where committee is not null;
comment on column organisation.area is 'The committee''s area that a chief officers group is responsible for.';

-- ---- Code lists and criteria ----

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
    position integer not null,                      -- within the list
    retired boolean not null default false,         -- not for new records; older records keep the code
    primary key (list, code)
);

-- A criterion for a learning review, and the facts that it requires. Guidance 2024, chapter 1.
create table criterion (
    code text primary key,
    label text not null,
    needs_death boolean not null default false,
    needs_care_and_risk_management boolean not null default false
);

-- ---- Calendar ----

create table bank_holiday (
    day date primary key,
    name text not null
);

-- A day that is a holiday in one committee's area only. Rows are only added: a due date that they gave
-- remains due.
create table local_holiday (
    committee text not null references committee,
    day date not null,
    name text not null default 'Local holiday' check (length(name) between 1 and 100),
    recorded_by text references organisation,       -- null: the register
    recorded_at timestamptz not null default now(),
    primary key (committee, day)
);

grant select on health_board, committee, local_authority, former_area_code, organisation, code_list,
    code_entry, criterion, bank_holiday, local_holiday to register_service;
