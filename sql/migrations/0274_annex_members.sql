-- The budget of a review, the needs of the family, and the attributes of the team. Guidance 2021, annexes 4 and 5.
alter table mandate add column budget_pounds integer check (budget_pounds >= 0);
alter table family_liaison
    add column interpreter_needed boolean not null default false,
    add column advocacy_needed boolean not null default false;
alter table team_member
    add column skills text check (length(skills) <= 2000),
    add column prior_involvement boolean not null default false,
    add column manages_practitioners boolean not null default false,
    add column conflict_statement_on date;
