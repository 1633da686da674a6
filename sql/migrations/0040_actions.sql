-- Actions to the end: who accepted them, what they wait for, what took their place, and what they brought.
alter table action
    add column strategy_id uuid, -- the strategy that it carries out; its foreign key comes with that table
    add column owner_role text,
    add column contributors text[] not null default '{}',
    add column owner_accepted_on date,
    add column cog_note text check (length(cog_note) between 1 and 2000),
    -- Ids of actions of the same case. Lists rather than tables, so that they count as members of the action: in
    -- its version, its document and the record of its changes. The functions see to it that they are of the case.
    add column depends_on uuid[] not null default '{}' check (id <> all (depends_on)),
    add column replaces uuid[] not null default '{}' check (id <> all (replaces)),
    add column replaced_by uuid[] not null default '{}' check (id <> all (replaced_by)),
    add column impact_reviewed_on date, -- the latest review of its impact
    add check (cardinality(replaced_by) = 0 or status = 'superseded'),
    add check (impact_reviewed_on is null or status = 'verified');

-- What an entry of the log is about; what no longer stands at the action itself is kept here.
alter table action_update
    add column kind text not null default 'progress'
        check (kind in ('progress', 'due_change', 'verified', 'returned')),
    add column due_on date,
    add column evidence text check (length(evidence) <= 4000),
    add check ((kind = 'due_change') = (due_on is not null)),
    add check (kind = 'returned' or evidence is null);
update action_update set kind = 'verified' where status_after = 'verified';

-- Whether a verified action brought what it was meant to bring; looked at again from time to time.
create table impact_review (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    action_id uuid not null references action on delete cascade,
    reviewed_on date not null,
    outcome text not null check (outcome in ('achieved', 'partly_achieved', 'not_achieved', 'too_early')),
    evidence text not null check (length(evidence) between 1 and 4000),
    next_review_on date,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    recorded_by text not null references organisation,
    foreign key (committee, case_id) references review_case (committee, id) on update cascade on delete cascade,
    check (next_review_on > reviewed_on),
    check (outcome <> 'too_early' or next_review_on is not null)
);
create index on impact_review (case_id);
create index on impact_review (action_id);
