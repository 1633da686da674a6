-- The audit trail: who read or changed which resources.
--
-- Entries hold identifiers and codes, never a value that was read. They are only added, and shortly afterwards sealed
-- into one chain of hashes.
create sequence audit_number;
do $$ begin perform nextval('audit_number'); end $$; -- last_value is now a number that was drawn

-- Only transactions that have their own number draw a number here. Once every transaction below some transaction number
-- has ended, no entry can be added below the number at which the sequence was before (audit_seal_next).
create table audit_entry (
    number bigint primary key default nextval((case when pg_current_xact_id() is not null
        then 'register.audit_number' end)::regclass),
    at timestamptz not null default clock_timestamp(),
    organisation text not null,
    client text not null,
    operation text not null check (length(operation) between 1 and 64),     -- operationId of the contract
    kind text not null check (kind in ('read', 'change')),
    request text not null check (length(request) between 1 and 128),        -- X-Request-Id
    collection text not null check (collection ~ '^[a-z-]{1,64}$'),         -- of /v1/<collection>
    ids uuid[] not null,                -- the resources of the collection that were read or changed
    cases uuid[] not null,              -- the case of each of them, in the same order; null: none
    committees text[] not null,         -- the committees of these resources
    parts uuid[] not null,              -- resources below the one of the collection
    items integer                       -- how many a list showed; null: not a list
) with (fillfactor = 100);
-- Finds the entries of a case, a resource or a committee. The short pending list limits the delay of the transaction
-- that empties it.
create index on audit_entry using gin (cases, ids, committees) with (gin_pending_list_limit = 256);
create index on audit_entry using brin (at);

-- hash = SHA-256(former hash || bytes of the entry). Positions have no gaps. Numbers do, from transactions that rolled
-- back.
create table audit_seal (
    number bigint primary key,
    position bigint not null,
    hash bytea not null check (length(hash) = 32)
) with (fillfactor = 100);

-- The end of the chain, and the number up to which entries can be sealed once all transactions below one have ended.
create table audit_head (
    only_row boolean primary key default true check (only_row),
    position bigint not null default 0,
    number bigint not null default 0,
    hash bytea not null default decode(repeat('00', 32), 'hex'),
    sealed_at timestamptz not null default now(),
    removed bigint not null default 0,  -- entries of the chain that were removed after their retention
    next_number bigint not null default 0,
    next_transaction xid8 not null default '0'
);
insert into audit_head default values;

-- The last entry of each removal: the chain begins after it.
create table audit_checkpoint (
    position bigint primary key,
    number bigint not null,
    hash bytea not null,
    made_at timestamptz not null default now()
);
