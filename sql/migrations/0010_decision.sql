-- What leads to the decision and what follows from it at once: information requests, the recommendation, decisions
-- one after another, and notices.

-- The committee asks an organisation for a short account of its work with the child.
create table information_request (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    organisation text not null references organisation,
    question text not null check (length(question) between 1 and 4000),
    asked_on date not null,
    due_on date not null,
    status text not null default 'open'
        check (status in ('open', 'answered', 'nothing_held', 'declined', 'waived', 'withdrawn')),
    answered_on date,
    practice_areas text[] not null default '{}',
    other_reviews boolean,
    criminal_proceedings boolean,
    summary text check (length(summary) <= 8000),
    reason text check (length(reason) <= 2000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    recorded_by text not null references organisation,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (due_on >= asked_on),
    check (answered_on >= asked_on),
    check ((status in ('answered', 'nothing_held', 'declined')) = (answered_on is not null)),
    check ((status in ('declined', 'waived', 'withdrawn')) = (reason is not null)),
    check (status = 'answered' or cardinality(practice_areas) = 0 and summary is null)
);
create index on information_request (case_id);
create index on information_request (committee, due_on, id);
create index on information_request (organisation, due_on, id);
create unique index on information_request (case_id, organisation) where status = 'open';

create table recommendation (
    case_id uuid primary key,
    committee text not null,
    made_on date not null,
    made_by text not null check (made_by in ('nominated_person', 'sub_group')),
    recommended text not null check (recommended in
        ('proceed', 'do_not_proceed', 'alternative_review', 'more_information')),
    criteria_met text[] not null,
    current_circumstances_recorded boolean not null,
    other_processes_considered boolean not null,
    expected_learning text check (length(expected_learning) <= 4000),
    support_needed text check (length(support_needed) <= 4000),
    proposed_scope text check (length(proposed_scope) <= 4000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    recorded_by text not null references organisation,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade
);

-- Each visit of the stage decision may have a decision of its own; the last one is current. `visit` is the sequence
-- of that stage within the case.
alter table case_decision
    add column id uuid not null default gen_random_uuid(),
    add column visit integer not null default 1,
    add column current boolean not null default true,
    add column supersedes uuid,
    add column criteria_no_bearing text[] not null default '{}',
    add column no_bearing_reason text check (length(no_bearing_reason) <= 2000),
    add column alternative_owner text references organisation,
    add column family_informed_on date,
    add column family_wait_reason text check (length(family_wait_reason) <= 2000),
    add column chief_officers_informed_on date,
    add check ((cardinality(criteria_no_bearing) > 0) = (no_bearing_reason is not null)),
    add check (not criteria_no_bearing && criteria_met),
    add check (outcome = 'alternative_review' or alternative_owner is null),
    add check (family_informed_on >= decided_on),
    add check (chief_officers_informed_on >= decided_on);
-- Which visit a decision belongs to is no change of the decision: its version and the record stay as they are.
alter table case_decision disable trigger user;
update case_decision d set visit = s.visit
    from (select d.case_id, coalesce(max(s.sequence) filter (where s.recorded_at <= d.updated_at),
            min(s.sequence)) as visit
        from case_decision d join case_stage s on s.case_id = d.case_id
        where s.stage = 'decision'
        group by d.case_id) s
    where s.case_id = d.case_id;
alter table case_decision enable trigger user;
alter table case_decision
    drop constraint case_decision_pkey,
    alter id drop default,
    alter visit drop default,
    add primary key (id),
    add foreign key (supersedes) references case_decision on delete cascade;
create unique index on case_decision (case_id) where current;
create index on case_decision (case_id);
create index on case_decision (updated_at, id) where current;

-- What the committee has to tell others, with what it says: fixed when the notice was made.
create table notice (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    decision_id uuid references case_decision on delete cascade,
    kind text not null check (kind in
        ('decision', 'alternative_outcome', 'outcome', 'discontinued', 'other_committee')),
    recipient text not null check (recipient in ('chief_officers_group', 'care_inspectorate', 'referrer',
        'national_hub', 'copfs', 'scra', 'other_committee')),
    to_organisation text not null references organisation,
    due_on date not null,
    snapshot jsonb not null,
    sent_on date,
    method text check (method in ('register', 'secure_mail', 'portal', 'letter', 'in_person')),
    withdrawn_on date,
    observations_received_on date,
    observations text check (length(observations) between 1 and 8000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    recorded_by text not null references organisation,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check ((sent_on is null) = (method is null)),
    check (sent_on is null or withdrawn_on is null),
    check ((observations is null) = (observations_received_on is null)),
    check (observations_received_on >= sent_on)
);
create index on notice (case_id);
create index on notice (committee, updated_at desc, id desc);
create index on notice (to_organisation, updated_at desc, id desc) where sent_on is not null;
create unique index on notice (case_id, kind, recipient, to_organisation)
    where sent_on is null and withdrawn_on is null;
