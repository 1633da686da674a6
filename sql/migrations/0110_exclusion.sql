-- Clients that the operator has shut out, whatever their tokens say, until the row is gone.
create table exclusion (
    organisation text not null references organisation,
    client text check (length(client) between 1 and 64),    -- null: every client of the organisation
    since timestamptz not null default now(),
    unique nulls not distinct (organisation, client)
);
