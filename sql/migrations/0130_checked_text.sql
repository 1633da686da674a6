-- The check of a publication is of the text that the report had then.
alter table publication add column anonymisation_checked_digest text,
    add check (anonymisation_checked_digest is null or anonymisation_checked_on is not null);

-- What the erasing of a case follows.
create index on notice (decision_id);
create index on case_decision (supersedes);
create index on action (strategy_id);
create index on case_transfer (case_id);
