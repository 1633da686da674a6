-- Notes on a case, and the tasks of those who work on it.
create table note (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    visibility text not null check (visibility in ('committee', 'review_team', 'case')),
    text text not null check (length(text) between 1 and 4000),
    recorded_by text not null references organisation,
    written_by text not null,                       -- the client; one code may be that of several bodies
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade
);
create index on note (case_id, id);

create table task (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    title text not null check (length(title) between 1 and 200),
    details text check (length(details) between 1 and 2000),
    owner_role text not null check (owner_role in ('lead_officer', 'administrator', 'chair', 'reviewer',
        'committee_member')),
    due_on date not null,
    status text not null default 'open' check (status in ('open', 'done')),
    done_on date,
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check ((status = 'done') = (done_on is not null))
);
create index on task (case_id, due_on, id);
create index task_committee_due_on on task (committee, due_on, id);
create index task_committee_due_on_open on task (committee, due_on, id) where status = 'open';
create index task_committee_status_due_on on task (committee, status, due_on, id);
create index task_committee_owner_role_due_on on task (committee, owner_role, due_on, id);
