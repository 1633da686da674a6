-- Proceedings parallel to a review, and holds, which stop the clocks of stages and tracks of work.
--
-- The columns without a check have codes of code lists, which openapi.yaml guards.
create table proceeding (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    case_reference text not null,                   -- for those who see the proceeding and not the case
    kind text not null,
    started_on date not null,
    ended_on date,
    contact_made_on date,
    contact_with text,
    liaison_meeting_on date,                        -- on what the review may do during the proceedings
    position text not null check (position in ('no_effect', 'may_proceed_in_part', 'should_wait')),
    agreed_with text[] not null,                    -- organisations
    restrictions text[] not null,                   -- parts of the review that must wait
    permitted text[] not null,                      -- parts of the review that may continue
    exchanges jsonb not null check (jsonb_typeof(exchanges) = 'array'),     -- material given and received
    review_on date,
    note text check (length(note) <= 2000),
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    unique (case_id, id),
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (ended_on >= started_on),
    check (liaison_meeting_on >= contact_made_on),
    -- A position that affects the review needs a date for its own review while the proceeding continues.
    check (position = 'no_effect' or ended_on is not null or review_on is not null)
);
create index on proceeding (committee, started_on desc, id desc);
create index on proceeding (case_id, started_on, id);

create table case_hold (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    proceeding_id uuid,                             -- the proceeding that is the cause
    stages text[] not null,                         -- stages whose clock stops
    tracks text[] not null,                         -- tracks of work that stop
    held_from date not null,
    planned_until date,
    reason text not null,
    reason_text text check (length(reason_text) <= 2000),
    agreed_with text[] not null check (cardinality(agreed_with) > 0),       -- organisations
    review_on date not null,
    lifted_on date,                                 -- null: in force
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    foreign key (case_id, proceeding_id) references proceeding (case_id, id)
        on update cascade on delete cascade,
    check (cardinality(stages) + cardinality(tracks) > 0),
    check (review_on > held_from),
    check (planned_until >= held_from),
    check (lifted_on >= held_from)
);
create index on case_hold (case_id, held_from, id);
create index on case_hold (proceeding_id) where lifted_on is null;
