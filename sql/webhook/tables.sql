-- Webhooks: the events that an organisation receives, and the deliveries.
--
-- A webhook is a consumer of the change feed: `position` is how far it has read. The events that it read wait in
-- webhook_delivery, which is also the log. Secrets are in neither table: they are derived from a key file, the
-- identifier of the webhook and the generation.
create table webhook (
    id uuid primary key,
    organisation text not null references organisation,
    client text not null,                           -- reads the feed with the rights of this client
    token_id text not null default '',              -- jti of the token that set the address
    url text not null,
    types text[],                                   -- null: every event
    status text not null default 'enabled' check (status in ('enabled', 'paused')),
    paused_because text check (paused_because in ('client', 'gone', 'unconfirmed')),
    confirm_by timestamptz not null default now() + interval '90 days',
    secret_generation integer not null default 1,
    rotated_at timestamptz,                         -- the former secret is also valid for a time after it
    position bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    check ((status = 'paused') = (paused_because is not null))
) with (fillfactor = 50);
create index on webhook (organisation);
comment on column webhook.client is 'The client that registered it. The webhook sends only what this client may see.';

create table webhook_delivery (
    id uuid primary key,
    entry bigint generated always as identity,      -- the order of the log
    webhook_id uuid not null references webhook on delete cascade,
    organisation text not null,
    number bigint,                                  -- of the event in the feed; null: a test
    type text not null,
    lane uuid not null,                             -- one delivery at a time, in order: the case, or the resource
    status text not null default 'pending' check (status in ('pending', 'delivered', 'failed', 'abandoned')),
    attempts integer not null default 0,
    attempts_before integer not null default 0,     -- before it was replayed
    first_attempt_at timestamptz,
    last_attempt_at timestamptz,
    last_result text check (last_result in ('delivered', 'refused', 'gone', 'unreachable', 'address_refused',
        'interrupted')),
    last_status integer,                            -- of the receiver's response
    due_at timestamptz not null default now(),
    leased_until timestamptz,                       -- until then it belongs to one instance
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    unique (webhook_id, number)
) with (fillfactor = 70);
create unique index on webhook_delivery (webhook_id, entry);
create index on webhook_delivery (webhook_id, entry) where status = 'pending';
create index on webhook_delivery (webhook_id, lane, number) where status = 'pending';
create index on webhook_delivery (created_at);

-- The scopes of the newest token of each client. A webhook ends with the right to it: these scopes count, and not those
-- of the token that registered the webhook. An instance updates the row once for each token, not for each request.
create table webhook_client (
    organisation text not null references organisation,
    client text not null,
    scopes text not null,
    token_id text not null default '',              -- jti; '' for none
    issued_at bigint not null default 0,            -- iat
    seen_at timestamptz not null default now(),
    primary key (organisation, client)
) with (fillfactor = 50);
