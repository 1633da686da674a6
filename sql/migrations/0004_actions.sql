-- Actions: what has to be done about the learning, by whom, by when, and what became of it.
create table action (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    case_reference text not null,
    title text not null check (length(title) between 1 and 200),
    themes text[] not null,
    owner_organisation text not null references organisation,
    status text not null check (status in ('proposed', 'agreed', 'in_progress', 'completed', 'verified',
        'not_achieved', 'superseded')),
    due_on date not null,
    original_due_on date not null,
    success_measure text check (length(success_measure) <= 1000),
    priority text not null check (priority in ('low', 'medium', 'high')),
    scope text not null check (scope in ('local', 'national')),
    resource_issue text not null check (resource_issue in ('none', 'raised_with_cog', 'agreed', 'refused')),
    progress integer not null default 0 check (progress between 0 and 100),
    completed_on date,
    completed_by text, -- the client that reported completion, for the separation of duties
    evidence text check (length(evidence) <= 4000),
    verified_on date,
    reason text check (length(reason) <= 2000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id),
    check (status in ('proposed', 'not_achieved', 'superseded') or success_measure is not null),
    check ((status in ('completed', 'verified')) <= (completed_on is not null and evidence is not null)),
    check ((status = 'verified') = (verified_on is not null)),
    check ((status in ('not_achieved', 'superseded')) = (reason is not null)),
    check (verified_on >= completed_on)
);
create index on action (committee, due_on, id);
create index on action (committee, updated_at desc, id desc);
create index on action (owner_organisation, due_on, id);
create index on action (owner_organisation, updated_at desc, id desc);
create index on action (case_id);

create table action_update (
    id uuid primary key,
    action_id uuid not null references action,
    reported_on date not null,
    progress integer not null check (progress between 0 and 100),
    note text not null check (length(note) between 1 and 2000),
    status_after text not null,
    reported_by text not null references organisation,
    recorded_at timestamptz not null default now()
);
create index on action_update (action_id, recorded_at desc, id desc);
