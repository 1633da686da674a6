-- Proceedings beside the review, holds that stop clocks and tracks, and what a stage's clock is made of.
-- The values of kinds, positions, reasons and the like are code lists, which the contract guards.
create table proceeding (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    case_reference text not null,
    kind text not null,
    started_on date not null,
    ended_on date,
    contact_made_on date,
    contact_with text,
    liaison_meeting_on date,
    position text not null check (position in ('no_effect', 'may_proceed_in_part', 'should_wait')),
    agreed_with text[] not null,
    restrictions text[] not null,
    permitted text[] not null,
    exchanges jsonb not null check (jsonb_typeof(exchanges) = 'array'),
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
    -- What has an effect on the review is looked at again while it lasts.
    check (position = 'no_effect' or ended_on is not null or review_on is not null)
);
create index on proceeding (committee, started_on desc, id desc);
create index on proceeding (case_id, started_on, id);

create table case_hold (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    proceeding_id uuid,
    stages text[] not null,
    tracks text[] not null,
    held_from date not null,
    planned_until date,
    reason text not null,
    reason_text text check (length(reason_text) <= 2000),
    agreed_with text[] not null check (cardinality(agreed_with) > 0),
    review_on date not null,
    lifted_on date,
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

-- The timescale and the due day as they were fixed on entry, and what moved the due day since then.
alter table case_stage
    add column amount integer,
    add column unit text check (unit in ('calendar_days', 'working_days', 'months')),
    add column original_due_on date,
    add column held_since date, -- since when the clock of the present stage stands still
    add column revised_due_on date,
    add column delay_reasons text[] not null default '{}';
-- Not a change of anything: what follows writes down what was so already.
alter table case_stage disable trigger user;
update case_stage set original_due_on = due_on where due_on is not null;
update case_stage s set (amount, unit) = (select t.amount, t.unit from timescale t
    where t.stage = s.stage and (t.committee = s.committee or t.committee is null) and t.valid_from <= s.entered_on
    order by t.committee nulls last, t.valid_from desc limit 1) where due_on is not null;
alter table case_stage enable trigger user;
alter table case_stage
    add check ((due_on is null) = (original_due_on is null)),
    add check (due_on >= original_due_on),
    add check (held_since is null or held_since >= entered_on and left_on is null);

-- The same of the present stage, for lists. A stage whose clock stands still comes last in them.
alter table review_case
    add column original_due_on date,
    add column revised_due_on date,
    add column held_since date,
    add column clock_stopped boolean not null generated always as (held_since is not null) stored,
    drop column stage_due_or_never;
alter table review_case disable trigger user;
update review_case set original_due_on = stage_due_on where stage_due_on is not null;
alter table review_case enable trigger user;
alter table review_case
    add column stage_due_or_never date not null generated always as (coalesce(
        case when held_since is null then greatest(stage_due_on, revised_due_on) end, 'infinity')) stored;
create index on review_case (committee, stage_due_or_never, id);
