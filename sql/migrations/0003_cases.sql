-- Review cases, their children, the history of their stages and the committee's decision.
create table case_counter (
    committee text not null references committee,
    year integer not null,
    last integer not null,
    primary key (committee, year)
);

create table review_case (
    id uuid primary key,
    committee text not null references committee,
    reference text not null unique,
    local_authority text not null references local_authority,
    review_type text not null check (review_type in ('single', 'sibling_group', 'thematic', 'joint')),
    guidance_edition text not null check (guidance_edition in ('scr_2015', 'child_2021', 'child_2024')),
    criteria text[] not null check (cardinality(criteria) between 1 and 11),
    summary text check (length(summary) <= 4000),
    opened_on date not null,
    stage text not null references stage,
    stage_entered_on date not null,
    stage_due_on date,
    -- For sorting: a case without a due date comes last.
    stage_due_or_never date not null generated always as (coalesce(stage_due_on, 'infinity')) stored,
    earliest_referral_received_on date,
    legal_hold boolean not null default false,
    closed_on date,
    closure text check (closure in ('completed', 'did_not_proceed', 'alternative_completed',
        'discontinued', 'merged', 'transferred_out')),
    decision_outcome text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    unique (committee, id),
    check (stage_entered_on >= opened_on),
    check ((stage = 'closed') = (closed_on is not null)),
    check ((stage = 'closed') = (closure is not null))
);
create index on review_case (committee, opened_on desc, id desc);
create index on review_case (committee, stage_due_or_never, id);

alter table referral add foreign key (committee, case_id) references review_case (committee, id);

create table child (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    child_ref text not null check (length(child_ref) between 16 and 64),
    family_ref text check (length(family_ref) between 16 and 64),
    outcome text not null check (outcome in ('died', 'significant_harm', 'risk_of_significant_harm', 'none')),
    outcome_first_recorded text not null,
    age_band text not null check (age_band in ('unborn', 'under_1', '1_4', '5_10', '11_15', '16_17', '18_25')),
    age_years integer check (age_years between 0 and 25),
    sex text not null check (sex in ('female', 'male', 'other', 'unknown')),
    ethnic_group text not null,
    disability text not null check (disability in ('yes', 'no', 'unknown')),
    legal_status text not null,
    register_status text not null,
    siblings_count_band text check (siblings_count_band in ('0', '1_2', '3_plus')),
    known_to text[] not null,
    cause_of_death_group text,
    harm_types text[] not null,
    carm boolean not null,
    national_hub_submitted_on date,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    unique (committee, case_id, child_ref),
    foreign key (committee, case_id) references review_case (committee, id),
    check (cause_of_death_group is null or outcome = 'died'),
    check (national_hub_submitted_on is null or outcome = 'died'),
    check (age_years is null or age_band = case
        when age_years < 1 then 'under_1' when age_years < 5 then '1_4' when age_years < 11 then '5_10'
        when age_years < 16 then '11_15' when age_years < 18 then '16_17' else '18_25' end)
);
create index on child (case_id);

create table case_stage (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    sequence integer not null check (sequence > 0),
    stage text not null references stage,
    entered_on date not null,
    due_on date,
    left_on date,
    reason text,
    note text check (length(note) <= 2000),
    recorded_at timestamptz not null default now(),
    recorded_by text not null references organisation,
    unique (case_id, sequence),
    foreign key (committee, case_id) references review_case (committee, id),
    check (left_on >= entered_on)
);
create unique index on case_stage (case_id) where left_on is null;

create table case_decision (
    case_id uuid primary key,
    committee text not null,
    outcome text not null check (outcome in
        ('proceed', 'do_not_proceed', 'alternative_review', 'more_information')),
    decided_on date not null,
    reasons text[] not null,
    alternative_kind text,
    criteria_met text[] not null,
    decided_by text not null check (decided_by in ('committee', 'chair_delegated')),
    unanimous boolean,
    note text check (length(note) <= 2000),
    recorded_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id),
    check ((outcome = 'alternative_review') = (alternative_kind is not null)),
    check (outcome not in ('do_not_proceed', 'alternative_review', 'more_information')
        or cardinality(reasons) > 0),
    check (outcome <> 'proceed' or cardinality(criteria_met) > 0)
);
