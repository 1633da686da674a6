-- Clients of issuers that cannot put an organisation into a token, blocks that end, and organisations that are retired
-- or have another name than the one that comes with the program.
create table client_organisation (
    client text primary key check (client ~ '^[A-Za-z0-9._~:/@-]{1,64}$'),
    organisation text not null references organisation,
    mapped_at timestamptz not null default now()
);

alter table exclusion add column until timestamptz;     -- null: until the row is deleted

alter table organisation add column renamed boolean not null default false;
alter table organisation add column retired_on date;    -- no token is accepted for it; its records stay
