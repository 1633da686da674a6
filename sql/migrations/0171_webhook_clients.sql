-- Webhooks end with the right to them: what the newest token of a client allows counts, not what the one allowed that
-- registered the webhook. Seen once for each token by each instance, not for each request.
create table webhook_client (
    organisation text not null references organisation,
    client text not null,
    scopes text not null,                   -- of the newest token that the client presented
    token_id text not null default '',      -- its jti; '' for none
    issued_at bigint not null default 0,    -- its iat
    seen_at timestamptz not null default now(),
    primary key (organisation, client)
) with (fillfactor = 50);
insert into webhook_client (organisation, client, scopes)
    select distinct on (organisation, client) organisation, client, scopes
    from webhook order by organisation, client, updated_at desc;

drop function if exists webhook_due(bigint), webhook_create(jsonb, boolean, json, bigint),
    webhook_change(uuid, bigint, jsonb, json), webhook_rotate(uuid, boolean);
drop trigger if exists count_version on webhook;
alter table webhook
    drop column scopes,
    add column token_id text not null default '',   -- jti of the token that set the address
    add column confirm_by timestamptz not null default now() + interval '90 days',
    drop constraint webhook_paused_because_check,
    add constraint webhook_paused_because_check check (paused_because in ('client', 'gone', 'unconfirmed'));
comment on column webhook.client is 'Who registered it: it sends what this client may see';
