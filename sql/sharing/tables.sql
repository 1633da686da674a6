-- Cases that other organisations work on too: access to a single case, and transfers to another committee.

create table case_access (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    organisation text not null references organisation,
    client text check (length(client) between 1 and 64),    -- null: every client of the organisation
    role text not null check (role in
        ('chair', 'reviewer', 'team_member', 'joint_committee', 'proceedings_liaison')),
    starts_on date not null,
    ends_on date,                                   -- the agreed last day
    ended_on date,                                  -- when the committee ended it before that
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (ends_on >= starts_on),
    -- The access of a person has a last day; that of a body lasts as long as the case is shared.
    check (role in ('joint_committee', 'proceedings_liaison') or ends_on is not null and client is not null)
);
create index on case_access (case_id);
create index on case_access (organisation);

create table case_transfer (
    id uuid primary key,
    committee text not null,                        -- of the case
    case_id uuid not null,
    case_reference text not null,
    from_committee text not null references committee,
    to_committee text not null references committee,
    reason text not null check (reason in ('child_moved', 'other_area_leads', 'wrong_area', 'other')),
    note text check (length(note) <= 2000),
    status text not null default 'proposed' check (status in ('proposed', 'accepted', 'refused', 'withdrawn')),
    proposed_on date not null,
    decided_on date,
    answer text check (length(answer) <= 2000),     -- of the other committee
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (from_committee <> to_committee),
    check ((status = 'proposed') = (decided_on is null)),
    check (decided_on >= proposed_on)
);
create unique index on case_transfer (case_id) where status = 'proposed';
create index on case_transfer (case_id);
create index on case_transfer (from_committee, created_at desc, id desc);
create index on case_transfer (to_committee, created_at desc, id desc);
create index on case_transfer (to_committee) where status = 'proposed';     -- read with each request of a committee
