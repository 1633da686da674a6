-- How long cases are kept, their erasure, and the facts that remain for the statistics.

-- How many months after its closure a case is kept. A committee's own rule has precedence over the default; of those
-- that have begun, the rule with the latest valid_from applies. A committee can withdraw a rule before it begins.
create table retention_rule (
    id uuid primary key default gen_random_uuid(),
    committee text references committee,            -- null: the default of the register
    months integer not null check (months between 12 and 1200),
    announced_on date not null default current_date,
    valid_from date not null,
    withdrawn_on date,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    check (withdrawn_on < valid_from)
);
create unique index on retention_rule (committee, valid_from) nulls not distinct where withdrawn_on is null;
grant select on retention_rule to register_service;

-- The notice period of rules and erasures in days. The operator changes the row; clients cannot.
create table retention_notice (
    only_row boolean primary key default true check (only_row),
    days integer not null check (days between 1 and 366)
);
insert into retention_notice (days) values (30);
grant select on retention_notice to register_service;

-- The announced erasure of a case, or of a referral that never became one. One client announces it, another one carries
-- it out after the notice period. The row is erased with its subject.
create table erasure (
    id uuid primary key,
    committee text not null references committee,
    case_id uuid,
    referral_id uuid references referral on delete cascade,
    reference text not null,
    status text not null default 'announced' check (status in ('announced', 'stopped')),
    announced_on date not null,
    announced_by text not null check (length(announced_by) between 1 and 64),   -- the client
    not_before date not null check (not_before >= announced_on),
    stopped_on date,
    stopped_because text check (stopped_because in ('committee', 'legal_hold', 'changed')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (num_nonnulls(case_id, referral_id) = 1),
    check ((status = 'stopped') = (stopped_on is not null) and (status = 'stopped') = (stopped_because is not null))
);
create unique index on erasure (case_id) where status = 'announced';
create unique index on erasure (referral_id) where status = 'announced';
create index on erasure (case_id);
create index on erasure (referral_id);
create index on erasure (committee, created_at desc, id desc);

-- The facts of an erased case that the statistics count. Nothing leads back to the case.
create table anonymous_review (
    id uuid primary key default gen_random_uuid(),
    committee text not null references committee,
    facts jsonb not null,
    anonymised_on date not null
);
create index on anonymous_review (committee);

-- The facts of an erased referral that never became a case. Nothing leads back to the referral.
create table anonymous_referral (
    id uuid primary key,
    committee text not null references committee,
    transferred_from text references committee,
    source_kind text not null,                      -- of the sending organisation
    received_month date not null,
    status text not null check (status in ('rejected', 'withdrawn')),
    reason text not null,
    anonymised_on date not null
);
