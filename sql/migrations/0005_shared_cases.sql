-- Cases that more than their committee works on: chief officers, access to single cases, ways of a move, and
-- the record of every change. A case's committee may change (transfer): what belongs to it follows.
alter table organisation drop constraint organisation_kind_check, drop constraint organisation_check,
    add column area text references committee,
    add check (kind in ('committee', 'chief_officers_group', 'local_authority', 'health_board', 'police',
        'prosecution', 'reporter', 'inspectorate', 'national', 'third_sector', 'independent')),
    add check ((kind = 'committee') = (committee is not null)),
    add check ((kind = 'chief_officers_group') = (area is not null));
comment on column organisation.area is 'The committee''s area that a chief officers group is responsible for.';

alter table referral drop constraint referral_committee_case_id_fkey,
    add foreign key (committee, case_id) references review_case (committee, id) on update cascade;
alter table child drop constraint child_committee_case_id_fkey,
    add foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade;
alter table case_stage drop constraint case_stage_committee_case_id_fkey,
    add foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade;
alter table case_decision drop constraint case_decision_committee_case_id_fkey,
    add foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade;
alter table action drop constraint action_committee_case_id_fkey,
    add foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade;
alter table action_update drop constraint action_update_action_id_fkey,
    add foreign key (action_id) references action on delete cascade;

-- Several moves may lead from one stage to the same other one.
alter table stage_transition drop constraint stage_transition_pkey,
    add column way text not null default 'ordinary'
        check (way in ('ordinary', 'return', 'discontinue', 'reopen')),
    add primary key (from_stage, to_stage, way);
alter table stage_guard drop constraint stage_guard_responsible_check,
    add check (responsible in ('committee', 'agency', 'chief_officers_group', 'review_team', 'action_owner'));

-- Who else may see a case, and until when. A client that is null stands for every client of the organisation.
create table case_access (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    organisation text not null references organisation,
    client text check (length(client) between 1 and 64),
    role text not null check (role in
        ('chair', 'reviewer', 'team_member', 'joint_committee', 'proceedings_liaison')),
    starts_on date not null,
    ends_on date,
    ended_on date,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (ends_on >= starts_on),
    -- A person's access ends by itself; that of a body lasts as long as the case is shared.
    check (role in ('joint_committee', 'proceedings_liaison') or ends_on is not null and client is not null)
);
create index on case_access (case_id);
create index on case_access (organisation);

-- Every change of what belongs to a case: who, when, and each member before and after. Only ever added to.
create table change (
    id bigint generated always as identity primary key,
    committee text not null,
    case_id uuid not null,
    subject text not null,
    subject_id uuid not null,
    kind text not null check (kind in ('created', 'changed', 'corrected', 'removed')),
    changes jsonb not null,
    recorded_at timestamptz not null default now(),
    recorded_by text not null,
    recorded_client text not null,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade
);
create index on change (case_id, id);

alter table case_stage
    add column updated_at timestamptz not null default now(),
    add column version bigint not null default 1;
