-- Actions: what an organisation must do about the learning, by when, and with which result.
create table action (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    case_reference text not null,                   -- for the owner, which does not see the case
    strategy_id uuid references strategy on delete set null,    -- the strategy that the action carries out
    title text not null check (length(title) between 1 and 200),
    themes text[] not null,
    owner_organisation text not null references organisation,
    owner_role text,
    owner_accepted_on date,                         -- a new owner must accept again
    contributors text[] not null default '{}',
    status text not null check (status in ('proposed', 'agreed', 'in_progress', 'completed', 'verified',
        'not_achieved', 'superseded')),
    due_on date not null,
    original_due_on date not null,
    success_measure text check (length(success_measure) <= 1000),
    priority text not null check (priority in ('low', 'medium', 'high')),
    scope text not null check (scope in ('local', 'national')),
    -- Whether resources are an issue, and the answer of the chief officers group.
    resource_issue text not null check (resource_issue in ('none', 'raised_with_cog', 'agreed', 'refused')),
    cog_note text check (length(cog_note) between 1 and 2000),
    progress integer not null default 0 check (progress between 0 and 100),
    completed_on date,
    completed_by text,                              -- separation of duties: the client that reported completion
    evidence text check (length(evidence) <= 4000),
    verified_on date,
    impact_reviewed_on date,                        -- of the latest impact review
    reason text check (length(reason) <= 2000),     -- why it was not achieved, or superseded
    -- Actions of the same case; the functions check that. They are lists, and not tables, so that a change of them is a
    -- change of the action: in its version, its document and its timeline.
    depends_on uuid[] not null default '{}',
    replaces uuid[] not null default '{}',
    replaced_by uuid[] not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (status in ('proposed', 'not_achieved', 'superseded') or success_measure is not null),
    check ((status in ('completed', 'verified')) <= (completed_on is not null and evidence is not null)),
    check ((status = 'verified') = (verified_on is not null)),
    check ((status in ('not_achieved', 'superseded')) = (reason is not null)),
    check (verified_on >= completed_on),
    check (id <> all (depends_on)),
    check (id <> all (replaces)),
    check (id <> all (replaced_by)),
    check (cardinality(replaced_by) = 0 or status = 'superseded'),
    check (impact_reviewed_on is null or status = 'verified')
);
create index on action (committee, due_on, id);
create index on action (committee, updated_at desc, id desc);
create index on action (owner_organisation, due_on, id);
create index on action (owner_organisation, updated_at desc, id desc);
create index on action (case_id);
create index on action (strategy_id);

-- The log of an action. It keeps what the action itself no longer shows.
create table action_update (
    id uuid primary key,
    action_id uuid not null references action on delete cascade,
    kind text not null default 'progress' check (kind in ('progress', 'due_change', 'verified', 'returned')),
    reported_on date not null,
    reported_by text not null references organisation,
    progress integer not null check (progress between 0 and 100),
    note text not null check (length(note) between 1 and 2000),
    status_after text not null,
    due_on date,                                    -- of a change of the due date
    evidence text check (length(evidence) <= 4000), -- the evidence that was returned
    recorded_at timestamptz not null default now(),
    check ((kind = 'due_change') = (due_on is not null)),
    check (kind = 'returned' or evidence is null)
);
create index on action_update (action_id, recorded_at desc, id desc);

-- Whether a verified action had the intended effect. An action may have several reviews.
create table impact_review (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    action_id uuid not null references action on delete cascade,
    reviewed_on date not null,
    outcome text not null check (outcome in ('achieved', 'partly_achieved', 'not_achieved', 'too_early')),
    evidence text not null check (length(evidence) between 1 and 4000),
    next_review_on date,
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (next_review_on > reviewed_on),
    check (outcome <> 'too_early' or next_review_on is not null)
);
create index on impact_review (case_id);
create index on impact_review (action_id);
