-- Webhooks: which events an organisation wants sent where, and what became of each.
--
-- A webhook is a consumer of the change feed like any other: `position` says how far it has read. What it read waits
-- in webhook_delivery, which is the log too. Secrets are in neither: they follow from a key file, the webhook's
-- identifier and the generation.
create table webhook (
    id uuid primary key,
    organisation text not null references organisation,
    client text not null,           -- as whom it reads the feed: who registered it, or changed it last
    scopes text not null,
    url text not null,
    types text[],                   -- null: every event
    status text not null default 'enabled' check (status in ('enabled', 'paused')),
    paused_because text check (paused_because in ('client', 'gone')),
    secret_generation integer not null default 1,
    rotated_at timestamptz,         -- since when the generation before this one is on its way out
    position bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    check ((status = 'paused') = (paused_because is not null))
) with (fillfactor = 50);
create index on webhook (organisation);

create table webhook_delivery (
    id uuid primary key,
    entry bigint generated always as identity, -- the order of the log
    webhook_id uuid not null references webhook on delete cascade,
    organisation text not null,
    number bigint,                  -- of the event in the feed; null for a test
    type text not null,
    lane uuid not null,             -- what goes one at a time and in order: the case, or the thing where no case is seen
    status text not null default 'pending' check (status in ('pending', 'delivered', 'failed', 'abandoned')),
    attempts integer not null default 0,
    attempts_before integer not null default 0, -- those before it was replayed
    first_attempt_at timestamptz,
    last_attempt_at timestamptz,
    last_result text check (last_result in ('delivered', 'refused', 'gone', 'unreachable', 'address_refused',
        'interrupted')),
    last_status integer,            -- of the receiver's answer
    due_at timestamptz not null default now(),
    leased_until timestamptz,       -- until then one instance is at it, and nobody else
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    unique (webhook_id, number)
) with (fillfactor = 70);
create unique index on webhook_delivery (webhook_id, entry);
create index on webhook_delivery (webhook_id, entry) where status = 'pending';
create index on webhook_delivery (webhook_id, lane, number) where status = 'pending';
create index on webhook_delivery (created_at);
