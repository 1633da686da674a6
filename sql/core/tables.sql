-- Tables of every request: idempotency keys, blocked clients, and fingerprints of keys.
--
-- `migrate` itself creates schema_file, schema_version and schema_supported (sql/queries/schema.sql).
revoke all on schema register from public;
grant usage on schema register to register_service;

-- The first response to a POST with an Idempotency-Key, kept for seven days. A repeated request receives it again, as
-- far as the caller may still see its subject.
create table idempotency_key (
    organisation text not null references organisation,
    client text not null,
    key text not null check (length(key) between 1 and 128),
    request_hash text not null,                     -- the same key with another request is refused
    status integer,                                 -- null while the first request runs
    version bigint,                                 -- for the ETag
    location text,
    body text,
    collection text,                                -- of /v1/<collection>/<subject>; null: nothing that can be hidden
    subject uuid,
    seen boolean not null default false,            -- whether the caller could see the subject after the first response
    created_at timestamptz not null default now(),
    primary key (organisation, client, key)
);
create index on idempotency_key using brin (created_at);
create index on idempotency_key (subject) where subject is not null;

-- Clients and tokens that the operator blocks until the row is deleted, whatever their tokens say.
create table exclusion (
    organisation text not null references organisation,
    client text check (length(client) between 1 and 64),            -- null: every client of the organisation
    token_id text check (length(token_id) between 1 and 128),       -- jti; null: every token
    since timestamptz not null default now(),
    unique nulls not distinct (organisation, client, token_id)
);

-- The keys that the register has used. Another pseudonym key would give the same children other references, another
-- webhook key would give every webhook another secret. The salted, slow hash recognises a key and does not disclose it.
create table key_fingerprint (
    key text primary key check (key in ('pseudonym', 'webhook')),
    salt bytea not null check (length(salt) = 16),
    iterations integer not null check (iterations >= 100000),
    hash bytea not null check (length(hash) = 32),  -- PBKDF2-HMAC-SHA-256 of the content of the key file
    recorded_at timestamptz not null default now(),
    replaced integer not null default 0             -- how many times `learning-reviews replace-key` was used
);
