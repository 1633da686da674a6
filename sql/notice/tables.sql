-- Notices that a committee must send to other bodies. The content is that of the case until the notice is sent; it does
-- not change afterwards.
create table notice (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    decision_id uuid references case_decision on delete cascade,    -- null: the notice is about another event
    kind text not null check (kind in
        ('decision', 'alternative_outcome', 'outcome', 'discontinued', 'other_committee')),
    recipient text not null check (recipient in ('chief_officers_group', 'care_inspectorate', 'referrer',
        'national_hub', 'copfs', 'scra', 'other_committee')),
    to_organisation text not null references organisation,
    due_on date not null,
    snapshot jsonb not null,                        -- the content; copied, because the case changes
    sent_on date,
    method text check (method in ('register', 'secure_mail', 'portal', 'letter', 'in_person')),
    withdrawn_on date,
    observations_received_on date,
    observations text check (length(observations) between 1 and 8000),      -- the recipient's answer
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check ((sent_on is null) = (method is null)),
    check (sent_on is null or withdrawn_on is null),
    check ((observations is null) = (observations_received_on is null)),
    check (observations_received_on >= sent_on)
);
create index on notice (case_id);
create index on notice (decision_id);
create index on notice (committee, updated_at desc, id desc);
create index on notice (to_organisation, updated_at desc, id desc) where sent_on is not null;
create unique index on notice (case_id, kind, recipient, to_organisation)
    where sent_on is null and withdrawn_on is null;
