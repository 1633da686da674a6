-- The rules of one edition of a guidance are kept apart from those of another: stages, their guards and moves,
-- criteria and timescales name both, and so do the moves of all other resources that have states. The keys of stage and
-- timescale stay as they are: cases refer to a stage by its code, and older code relies on the key of a timescale.
alter table stage add column guidance text not null default 'child',
    add column edition text not null default '2024';
alter table stage drop constraint stage_position_key, add unique (guidance, edition, position);
alter table stage_guard add column guidance text not null default 'child',
    add column edition text not null default '2024';
alter table stage_guard drop constraint stage_guard_pkey, add primary key (guidance, edition, code);
alter table stage_transition add column guidance text not null default 'child',
    add column edition text not null default '2024';
alter table stage_transition drop constraint stage_transition_pkey,
    add primary key (guidance, edition, from_stage, to_stage, way);
alter table criterion add column guidance text not null default 'child',
    add column edition text not null default '2024';
alter table criterion drop constraint criterion_pkey, add primary key (guidance, edition, code);
alter table timescale add column guidance text not null default 'child',
    add column edition text not null default '2024';

-- A move of a resource from one state to another, or within a state, which a request makes. sql/core/states.sql
-- evaluates them; the moves of cases are in stage_transition.
create table state_transition (
    guidance text not null default 'child',
    edition text not null default '2024',
    subject text not null check (subject ~ '^[a-z_]+$'),    -- the kind of resource
    operation text not null,                        -- of the contract (operationId)
    from_state text not null,
    to_state text not null,
    who text[] not null check (cardinality(who) > 0),       -- columns of the row; one must name the caller
    guards text[] not null default '{}',            -- all must hold
    primary key (guidance, edition, subject, operation, from_state, to_state)
);

-- A condition for a move, and the refusal if it does not hold. The function guard_<code> checks it. In messages,
-- {member} represents a member of the row.
create table state_guard (
    guidance text not null default 'child',
    edition text not null default '2024',
    code text not null check (code ~ '^[a-z_]+$'),
    subject text not null,
    rule text not null,
    message text not null,
    primary key (guidance, edition, code)
);

-- The refusal of a request that has no move from the state of the row.
create table state_refusal (
    guidance text not null default 'child',
    edition text not null default '2024',
    subject text not null,
    operation text not null,
    from_state text,                                -- null: every other state
    pointer text,
    rule text not null,
    message text not null,
    unique nulls not distinct (guidance, edition, subject, operation, from_state)
);
