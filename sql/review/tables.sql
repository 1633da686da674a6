-- The review: mandate, team, family liaison, engagement of the family and of practitioners, findings and strategies.
--
-- Members of a team, relatives and practitioners are never named: a row has a role and an organisation. The columns
-- without a check have codes of code lists, which openapi.yaml guards.

-- The agreed mandate; a case has at most one.
create table mandate (
    case_id uuid primary key,
    committee text not null,
    agreed_on date,                                 -- null: a draft
    questions text[] not null check (cardinality(questions) between 1 and 20),
    period_from date not null,                      -- the period under review
    period_to date not null,
    agencies text[] not null check (cardinality(agencies) > 0),
    target_completion_on date,
    legal_advice boolean not null,
    media_plan boolean not null,
    staff_support_plan boolean not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (period_to >= period_from),
    check (target_completion_on >= agreed_on)
);

create table team_member (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    role text not null,
    organisation text not null references organisation,
    client text check (length(client) between 1 and 64),    -- the system account that works for the member
    independence text not null,
    appointed_on date not null,
    ended_on date,                                  -- null: the appointment continues
    ended_reason text check (length(ended_reason) <= 2000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (ended_on >= appointed_on),
    check (ended_reason is null or ended_on is not null)
);
create index on team_member (case_id);
create unique index team_member_one_chair on team_member (case_id) where role = 'chair' and ended_on is null;

-- The contact with the family; a case has at most one.
create table family_liaison (
    case_id uuid primary key,
    committee text not null,
    lead_role text not null,
    strategy_agreed_on date,                        -- null: a draft
    leaflet_given_on date,
    coordinated_with_police boolean not null,
    note text check (length(note) <= 2000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade
);

-- The invitation of a relative, and the answer.
create table family_engagement (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    relation text not null,                         -- to the child
    invited_on date,
    not_invited_reason text check (length(not_invited_reason) <= 2000),
    response text,
    responded_on date,
    response_reason text check (length(response_reason) <= 2000),
    method text,                                    -- how the views were heard
    views_taken_on date,
    feedback_before_publication_on date,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check ((invited_on is null) = (not_invited_reason is not null)),
    check ((not_invited_reason is not null) = (response is not distinct from 'not_invited')),
    check ((responded_on is not null) = coalesce(response in ('took_part', 'declined'), false)),
    check (response is distinct from 'no_reply' or response_reason is not null),
    check (views_taken_on is null or response is not distinct from 'took_part' and method is not null),
    check (responded_on >= invited_on),
    check (views_taken_on >= invited_on)
);
create index on family_engagement (case_id);

-- One event with practitioners, or the reason why there was none.
create table practitioner_engagement (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    kind text not null,
    held_on date,
    organisations text[] not null,
    participants_count integer check (participants_count > 0),
    reason text check (length(reason) <= 2000),     -- why it was not held
    support_offered boolean not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check ((kind = 'not_held') = (reason is not null)),
    check ((kind = 'not_held') = (held_on is null)),
    check ((kind = 'not_held') = (participants_count is null)),
    check (kind = 'not_held' or cardinality(organisations) > 0)
);
create index on practitioner_engagement (case_id);

create table finding (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    kind text not null,
    statement text not null check (length(statement) between 1 and 4000),
    practice_area text not null,
    themes text[] not null,
    factors text[] not null,
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade
);
create index on finding (case_id);

-- A strategy for improvement that the review suggests.
create table strategy (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    case_for_change text not null check (length(case_for_change) between 1 and 4000),
    learning_orientation text check (length(learning_orientation) between 1 and 4000),  -- how people can learn from it
    evidence text not null check (length(evidence) between 1 and 4000),
    responsible_organisation text not null references organisation,
    review_on date not null,
    findings uuid[] not null,                       -- of the same case; only the erasure of the case deletes findings
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade
);
create index on strategy (case_id);
