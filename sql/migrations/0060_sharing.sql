-- Cases and referrals that change hands, and how long cases are kept.
create table case_transfer (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    case_reference text not null,
    from_committee text not null references committee,
    to_committee text not null references committee,
    reason text not null check (reason in ('child_moved', 'other_area_leads', 'wrong_area', 'other')),
    note text check (length(note) <= 2000),
    status text not null default 'proposed' check (status in ('proposed', 'accepted', 'refused', 'withdrawn')),
    proposed_on date not null,
    decided_on date,
    answer text check (length(answer) <= 2000),
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
create index on case_transfer (from_committee, created_at desc, id desc);
create index on case_transfer (to_committee, created_at desc, id desc);

-- The committee that a referral was first sent to, when another one took it over.
alter table referral
    add column transferred_from text references committee;

-- The case that this one was merged into.
alter table review_case
    add column merged_into uuid,
    add foreign key (committee, merged_into) references review_case (committee, id) on update cascade,
    add check ((merged_into is not null) = coalesce(closure = 'merged', false)),
    add column legal_hold_reason text check (legal_hold_reason in
        ('criminal_proceedings', 'fatal_accident_inquiry', 'public_inquiry', 'civil_proceedings', 'other')),
    add check (legal_hold or legal_hold_reason is null);

-- How many months after its closure a case is kept; a committee's own row wins, the latest that has begun wins.
create table retention_rule (
    committee text references committee,
    months integer not null check (months between 12 and 1200),
    valid_from date not null,
    unique nulls not distinct (committee, valid_from)
);
grant select on retention_rule to register_service;

-- What is left of a case after its retention: facts that count, nothing that leads back to it.
create table anonymous_review (
    id uuid primary key default gen_random_uuid(),
    committee text not null references committee,
    facts jsonb not null,
    anonymised_on date not null
);
create index on anonymous_review (committee);
