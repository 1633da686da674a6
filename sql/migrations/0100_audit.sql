-- The audit trail: who read or changed what. Entries hold identifiers and codes, never a value or a text of what was
-- read. They are only ever added (sql/functions/100_audit.sql), and sealed into one chain of hashes shortly after.
alter table organisation drop constraint organisation_kind_check,
    add constraint organisation_kind_check check (kind in ('committee', 'chief_officers_group', 'local_authority',
        'health_board', 'police', 'prosecution', 'reporter', 'inspectorate', 'national', 'third_sector', 'independent',
        'auditor'));

create sequence audit_number;
do $$ begin perform nextval('audit_number'); end $$; -- from now on its last_value is a number that was drawn

-- A number is drawn by transactions only that have their own number already: once every transaction below some number
-- has ended, no entry can come in below what the sequence said before (see audit_seal_next).
create table audit_entry (
    number bigint primary key default nextval((case when pg_current_xact_id() is not null
        then 'register.audit_number' end)::regclass),
    at timestamptz not null default clock_timestamp(),
    organisation text not null,
    client text not null,
    operation text not null check (length(operation) between 1 and 64),     -- operationId of the contract
    kind text not null check (kind in ('read', 'change')),
    request text not null check (length(request) between 1 and 128),        -- X-Request-Id
    collection text not null check (collection ~ '^[a-z-]{1,64}$'),         -- /v1/<collection>
    ids uuid[] not null,                -- what of the collection was read or changed
    cases uuid[] not null,              -- the case of each of them, in the same order; null where there is none
    committees text[] not null,         -- and whose it was
    parts uuid[] not null,              -- what below the one of the collection
    items integer                       -- how many a list showed; null: not a list
) with (fillfactor = 100);
-- Who looked at this case, this referral, what is this committee's. What is pending is kept short: whoever adds to it
-- when it is full pays for all.
create index on audit_entry using gin (cases, ids, committees) with (gin_pending_list_limit = 256);
create index on audit_entry using brin (at);

-- hash = SHA-256(hash before || bytes of the entry). Positions have no gaps; numbers do, for what was rolled back.
create table audit_seal (
    number bigint primary key,
    position bigint not null,
    hash bytea not null check (length(hash) = 32)
) with (fillfactor = 100);

-- How far the chain goes, and up to which number entries can be sealed once all transactions below one have ended.
create table audit_head (
    only_row boolean primary key default true check (only_row),
    position bigint not null default 0,
    number bigint not null default 0,
    hash bytea not null default decode(repeat('00', 32), 'hex'),
    sealed_at timestamptz not null default now(),
    removed bigint not null default 0,      -- how many of its entries were kept long enough and are gone
    next_number bigint not null default 0,
    next_transaction xid8 not null default '0'
);
insert into audit_head default values;

-- Where the chain begins after its oldest entries were removed: the last of them.
create table audit_checkpoint (
    position bigint primary key,
    number bigint not null,
    hash bytea not null,
    made_at timestamptz not null default now()
);
