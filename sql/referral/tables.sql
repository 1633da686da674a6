-- Referrals: what an agency notifies to a committee (in the guidance: notification).
create table referral (
    id uuid primary key,
    reference text not null,
    source_organisation text not null references organisation,
    source_system text not null check (length(source_system) between 1 and 64),
    source_reference text not null check (length(source_reference) between 1 and 128),
    source_role text not null check (source_role in ('cpc_member', 'agency', 'practitioner')),
    committee text not null references committee,
    transferred_from text references committee,     -- the first recipient, when another committee took it over
    local_authority text not null references local_authority,
    incident_kind text not null check (incident_kind in ('single_event', 'accumulation')),
    incident_on date,
    aware_on date not null,                         -- when the agency learned of it
    notified_on date not null,
    received_on date not null,
    children jsonb not null check (jsonb_typeof(children) = 'array'
        and jsonb_array_length(children) between 1 and 12),
    criteria_claimed text[] not null check (cardinality(criteria_claimed) between 1 and 11),
    basis text not null check (length(basis) between 1 and 4000),
    immediate_concerns text not null check (immediate_concerns in ('none', 'passed_on', 'acted_on')),
    passed_to_organisation text references organisation,
    agencies_involved text[] not null,
    parallel_processes text[] not null,
    other_committees text[] not null,
    discussed_with_partners boolean not null,
    guidance_edition text not null check (guidance_edition in ('scr_2015', 'child_2021', 'child_2024')),
    pushed_hash text not null,                      -- of the pushed content: the same reference has no other

    -- The committee's answer.
    status text not null default 'submitted'
        check (status in ('submitted', 'acknowledged', 'accepted', 'rejected', 'withdrawn')),
    acknowledged_on date,
    decided_on date,
    reason text,                                    -- of a rejection or withdrawal
    note text,

    -- The case that it became or joined, with what its sender may see of it.
    case_id uuid,
    case_reference text,
    case_stage text references stage,
    case_decision text,
    received_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    unique (source_organisation, source_system, source_reference),
    foreign key (committee, case_id) references review_case (committee, id) on update cascade,
    check (aware_on <= notified_on),
    check (incident_on is null or incident_on <= aware_on),
    check ((immediate_concerns = 'passed_on') <= (passed_to_organisation is not null)),
    check ((status in ('accepted', 'rejected', 'withdrawn')) = (decided_on is not null)),
    check ((status = 'accepted') = (case_id is not null)),
    check ((status in ('rejected', 'withdrawn')) = (reason is not null)),
    check (status <> 'acknowledged' or acknowledged_on is not null)
);
create index on referral (committee, received_at desc, id desc);
create index on referral (source_organisation, received_at desc, id desc);
create index on referral (case_id) where case_id is not null;
