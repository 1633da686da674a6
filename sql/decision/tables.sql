-- The decision: the information requests and the recommendation that lead to it, and the decision itself.

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
    other_reviews boolean,                          -- carries out or plans another review; null: not stated
    criminal_proceedings boolean,                   -- knows of criminal proceedings; null: not stated
    summary text check (length(summary) <= 8000),
    reason text check (length(reason) <= 2000),     -- why it was declined, waived or withdrawn
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
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

-- The recommendation to the committee; a case has at most one.
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
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade
);

-- The committee's decisions. Each stay of the case in the stage decision may have one; the last one is current.
create table case_decision (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    visit integer not null,                         -- sequence of the stay in the stage decision (case_stage)
    current boolean not null default true,
    supersedes uuid references case_decision on delete cascade,
    outcome text not null check (outcome in
        ('proceed', 'do_not_proceed', 'alternative_review', 'more_information')),
    decided_on date not null,
    decided_by text not null check (decided_by in ('committee', 'chair_delegated')),
    unanimous boolean,                              -- null: not stated
    criteria_met text[] not null,
    criteria_no_bearing text[] not null default '{}',   -- criteria that have no bearing on the decision
    no_bearing_reason text check (length(no_bearing_reason) <= 2000),
    reasons text[] not null,
    alternative_kind text,                          -- the other way of learning
    alternative_owner text references organisation, -- the organisation that carries it out
    family_informed_on date,
    family_wait_reason text check (length(family_wait_reason) <= 2000),     -- why the family is informed later
    chief_officers_informed_on date,
    note text check (length(note) <= 2000),
    recorded_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check ((outcome = 'alternative_review') = (alternative_kind is not null)),
    check (outcome not in ('do_not_proceed', 'alternative_review', 'more_information')
        or cardinality(reasons) > 0),
    check (outcome <> 'proceed' or cardinality(criteria_met) > 0),
    check ((cardinality(criteria_no_bearing) > 0) = (no_bearing_reason is not null)),
    check (not criteria_no_bearing && criteria_met),
    check (outcome = 'alternative_review' or alternative_owner is null),
    check (family_informed_on >= decided_on),
    check (chief_officers_informed_on >= decided_on)
);
create unique index on case_decision (case_id) where current;
create index on case_decision (case_id);
create index on case_decision (updated_at, id) where current;
create index on case_decision (supersedes);
