-- The report, its ratification and publication, the dissemination of the learning, and how a review ends.
--
-- The columns without a check have codes of code lists, which openapi.yaml guards.

-- The report; a case has at most one. The register does not hold the document itself.
create table report (
    case_id uuid primary key,
    committee text not null,
    drafted_on date,
    accuracy_checked_on date,
    family_feedback_on date,
    prosecution_consulted_on date,
    committee_agreed_on date,
    sections text[] not null,                       -- those that the report has
    no_strategies_reason text check (length(no_strategies_reason) between 1 and 2000),
    delay_reasons text[] not null,
    document_digest text check (length(document_digest) = 64),      -- SHA-256, hexadecimal
    -- Separation of duties: the client that wrote the report last, and the client that recorded the agreement.
    written_by text not null,
    agreed_by text,
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check ((committee_agreed_on is null) = (agreed_by is null)),
    check (accuracy_checked_on >= drafted_on),
    check (committee_agreed_on >= drafted_on)
);

-- Each answer of the chief officers to the report.
create table ratification (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    stage_sequence integer not null,                -- of the stay in the stage ratification (case_stage)
    outcome text not null check (outcome in ('ratified', 'changes_requested')),
    decided_on date not null,
    reason text check (length(reason) between 1 and 2000),  -- of the requested changes
    plan_considered_on date,                        -- when they considered the action plan
    resource_issues_raised boolean,
    recorded_by text not null references organisation,
    recorded_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check ((outcome = 'changes_requested') = (reason is not null)),
    check (plan_considered_on is null or outcome = 'ratified')
);
create index on ratification (case_id);

-- The decision on publication, and what became of it; a case has at most one.
create table publication (
    case_id uuid primary key,
    committee text not null,
    form text,
    decided_on date,
    reason text check (length(reason) between 1 and 2000),  -- required if the report is not published
    reporting_restrictions_checked boolean not null,
    family_told_on date,
    practitioners_told_on date,
    prosecution_sight_on date,                      -- when the prosecution saw the text
    anonymisation_checked_on date,
    anonymisation_checked_digest text,              -- document_digest of the report that was checked
    intended_on date,
    published_on date,
    url text check (length(url) <= 512),
    removed_on date,
    removal_reason text check (length(removal_reason) between 1 and 2000),
    -- Separation of duties: the client that wrote the publication last, and the client that made the check.
    written_by text not null,
    anonymisation_checked_by text,
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check ((form is null) = (decided_on is null)),
    check (form is distinct from 'not_published' or reason is not null),
    check ((anonymisation_checked_on is null) = (anonymisation_checked_by is null)),
    check (published_on is null or form <> 'not_published' and anonymisation_checked_on is not null
        and reporting_restrictions_checked and family_told_on is not null
        and practitioners_told_on is not null),
    check (published_on >= decided_on),
    check (url is null or published_on is not null),
    check (removed_on is null or published_on is not null and removed_on >= published_on),
    check ((removed_on is null) = (removal_reason is null)),
    check (anonymisation_checked_digest is null or anonymisation_checked_on is not null)
);

create table dissemination (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    audience text not null,
    level text not null check (level in ('local', 'national')),
    form text not null,
    disseminated_on date not null,
    recorded_by text not null references organisation,
    recorded_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade
);
create index on dissemination (case_id);

-- The evaluation of the review; a case has at most one.
create table evaluation (
    case_id uuid primary key,
    committee text not null,
    evaluated_on date not null,
    outcome text not null,
    summary text not null check (length(summary) between 1 and 4000),
    next_review_on date,
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (next_review_on > evaluated_on)
);

-- The agreement to end a review before its report; a case has at most one.
create table discontinuation (
    case_id uuid primary key,
    committee text not null,
    committee_agreed_on date,
    chief_officers_agreed_on date,
    reason text not null check (length(reason) between 1 and 2000),
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade
);
