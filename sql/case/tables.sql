-- Stages and their timescales; review cases, their children, and the history of their stages.

-- ---- Stages of a case ----

create table stage (
    code text primary key check (code ~ '^[a-z_]+$'),
    position integer not null unique,
    label text not null,
    description text not null,
    terminal boolean not null default false         -- no move leads out, except reopening
);

-- A condition for a move. The function guard_<code> checks it.
create table stage_guard (
    code text primary key check (code ~ '^[a-z_]+$'),
    message text not null,
    responsible text not null
        check (responsible in ('committee', 'agency', 'chief_officers_group', 'review_team', 'action_owner'))
);

-- The allowed moves. Several moves may lead from one stage to the same other stage.
create table stage_transition (
    from_stage text not null references stage,
    to_stage text not null references stage,
    way text not null default 'ordinary' check (way in ('ordinary', 'return', 'discontinue', 'reopen')),
    label text not null,
    closure text,                                   -- how the move closes the case; null: it does not
    reasons text[] not null default '{}',           -- the caller must give one of them; empty: no reason
    guards text[] not null default '{}',            -- all must hold
    primary key (from_stage, to_stage, way),
    check (from_stage <> to_stage)
);

-- How long a stage may take. A committee's own row has precedence over the default; of those that have begun, the row
-- with the latest valid_from applies. Rows are only added: a due date that they gave remains due.
create table timescale (
    stage text not null references stage,
    committee text references committee,            -- null: the default of the register
    valid_from date not null,
    amount integer not null check (amount between 1 and 1000),
    unit text not null check (unit in ('calendar_days', 'working_days', 'months')),
    recorded_by text references organisation,       -- null: the register
    recorded_at timestamptz not null default now(),
    unique nulls not distinct (stage, committee, valid_from)
);
grant select on stage, stage_guard, stage_transition, timescale to register_service;

-- ---- Cases ----

-- The last number in the references of a committee's cases, for each year.
create table case_counter (
    committee text not null references committee,
    year integer not null,
    last integer not null,
    primary key (committee, year)
);

-- A transfer changes the committee of a case; everything that belongs to the case receives the new committee with it.
-- Each part therefore refers to (committee, id).
create table review_case (
    id uuid primary key,
    committee text not null references committee,
    reference text not null unique,
    local_authority text not null references local_authority,
    review_type text not null check (review_type in ('single', 'sibling_group', 'thematic', 'joint')),
    guidance_edition text not null check (guidance_edition in ('scr_2015', 'child_2021', 'child_2024')),
    criteria text[] not null check (cardinality(criteria) between 1 and 11),
    summary text check (length(summary) <= 4000),
    earliest_referral_received_on date,
    opened_on date not null,
    closed_on date,
    closure text check (closure in ('completed', 'did_not_proceed', 'alternative_completed',
        'discontinued', 'merged', 'transferred_out')),
    decision_outcome text,                          -- of the current decision, for lists
    merged_into uuid,                               -- the case that this one was merged into

    -- The current stage and its clock, as in case_stage, for lists.
    stage text not null references stage,
    stage_entered_on date not null,
    stage_due_on date,                              -- holds move it; null: the stage has no timescale
    original_due_on date,                           -- the due date on entry
    revised_due_on date,                            -- the later date that the committee set
    held_since date,                                -- first day of the hold that stops the clock
    clock_stopped boolean not null generated always as (held_since is not null) stored,
    -- For sorting: a case without a due date comes last, also one whose clock is stopped.
    stage_due_or_never date not null generated always as (coalesce(
        case when held_since is null then greatest(stage_due_on, revised_due_on) end, 'infinity')) stored,

    legal_hold boolean not null default false,      -- the case must not be erased
    legal_hold_reason text check (legal_hold_reason in
        ('criminal_proceedings', 'fatal_accident_inquiry', 'public_inquiry', 'civil_proceedings', 'other')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    unique (committee, id),
    foreign key (committee, merged_into) references review_case (committee, id) on update cascade,
    check (stage_entered_on >= opened_on),
    check ((stage = 'closed') = (closed_on is not null)),
    check ((stage = 'closed') = (closure is not null)),
    check ((merged_into is not null) = coalesce(closure = 'merged', false)),
    check (legal_hold or legal_hold_reason is null)
);
create index on review_case (committee, opened_on desc, id desc);
create index on review_case (committee, stage_due_or_never, id);
create index on review_case (merged_into) where merged_into is not null;

-- Children are never named. The columns without a check have codes of code lists, which openapi.yaml guards.
create table child (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    child_ref text not null check (length(child_ref) between 16 and 64),    -- keyed hash of the child's identifier
    family_ref text check (length(family_ref) between 16 and 64),           -- keyed hash of the family's identifier
    outcome text not null check (outcome in ('died', 'significant_harm', 'risk_of_significant_harm', 'none')),
    outcome_first_recorded text not null,           -- never changes
    age_band text not null check (age_band in ('unborn', 'under_1', '1_4', '5_10', '11_15', '16_17', '18_25')),
    age_years integer check (age_years between 0 and 25),
    sex text not null check (sex in ('female', 'male', 'other', 'unknown')),
    ethnic_group text not null,
    disability text not null check (disability in ('yes', 'no', 'unknown')),
    legal_status text not null,
    register_status text not null,                  -- on the Child Protection Register
    siblings_count_band text check (siblings_count_band in ('0', '1_2', '3_plus')),
    known_to text[] not null,                       -- kinds of agencies that knew the child
    cause_of_death_group text,
    harm_types text[] not null,
    carm boolean not null,                          -- managed under Care and Risk Management
    national_hub_submitted_on date,                 -- when the data set of a death was submitted to the National Hub
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    unique (committee, case_id, child_ref),
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (cause_of_death_group is null or outcome = 'died'),
    check (national_hub_submitted_on is null or outcome = 'died'),
    check (age_years is null or age_band = case
        when age_years < 1 then 'under_1' when age_years < 5 then '1_4' when age_years < 11 then '5_10'
        when age_years < 16 then '11_15' when age_years < 18 then '16_17' else '18_25' end)
);
create index on child (case_id);

-- Each stay of a case in a stage. The clock of a stage is fixed on entry.
create table case_stage (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    sequence integer not null check (sequence > 0), -- within the case
    stage text not null references stage,
    entered_on date not null,
    left_on date,                                   -- null: the current stage
    amount integer,                                 -- of the timescale on entry; null: the stage had none
    unit text check (unit in ('calendar_days', 'working_days', 'months')),
    original_due_on date,                           -- the due date on entry
    due_on date,                                    -- the same, moved by the days on hold
    revised_due_on date,                            -- the later date that the committee set
    held_since date,                                -- first day of the hold that stops the clock of the current stage
    delay_reasons text[] not null default '{}',
    reason text,                                    -- of the move into the stage
    note text check (length(note) <= 2000),
    recorded_by text not null references organisation,
    recorded_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    unique (case_id, sequence),
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (left_on >= entered_on),
    check ((due_on is null) = (original_due_on is null)),
    check (due_on >= original_due_on),
    check (held_since is null or held_since >= entered_on and left_on is null)
);
create unique index on case_stage (case_id) where left_on is null;
