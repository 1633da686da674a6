-- Erasure takes two clients of a committee and time: a change of a retention rule begins after a notice period, and an
-- erasure is announced by one client and carried out by another one.

-- How many days lie between the announcement of a rule or an erasure and the day from which it counts. The operator
-- changes the row; clients cannot.
create table retention_notice (
    only_row boolean primary key default true check (only_row),
    days integer not null check (days between 1 and 366)
);
insert into retention_notice (days) values (30);
grant select on retention_notice to register_service;

-- A rule is a thing of its own, so that audit trail and feed can name it. A pending rule can be withdrawn.
alter table retention_rule
    add column id uuid not null default gen_random_uuid() primary key,
    add column announced_on date,
    add column withdrawn_on date,
    add column created_at timestamptz not null default now(),
    add column updated_at timestamptz not null default now(),
    add column version bigint not null default 1,
    drop constraint retention_rule_committee_valid_from_key;
update retention_rule set announced_on = least(valid_from, current_date);
alter table retention_rule
    alter column announced_on set not null,
    alter column announced_on set default current_date,
    add check (withdrawn_on < valid_from);
create unique index on retention_rule (committee, valid_from) nulls not distinct where withdrawn_on is null;

-- An announced erasure of a case or of a referral that never became one. It goes with what it erases.
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
    foreign key (committee, case_id) references review_case (committee, id) on update cascade on delete cascade,
    check (num_nonnulls(case_id, referral_id) = 1),
    check ((status = 'stopped') = (stopped_on is not null) and (status = 'stopped') = (stopped_because is not null))
);
create unique index on erasure (case_id) where status = 'announced';
create unique index on erasure (referral_id) where status = 'announced';
create index on erasure (case_id);
create index on erasure (referral_id);
create index on erasure (committee, created_at desc, id desc);
