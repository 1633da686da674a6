-- Webhooks, and their deliveries.

-- name: list_webhooks
select coalesce(json_agg(webhook_document(w) order by w.id), '[]') as items from webhook w;

-- name: create_webhook
-- $1: body, $2: whether webhooks are enabled, $3: faults of the address, $4: number up to which the feed is complete,
-- $5: days until the webhook must be confirmed, $6: when the token was issued.
select * from webhook_create($1::jsonb, $2::boolean, $3::json, $4::bigint, $5::integer, $6::bigint);

-- name: get_webhook
select version, webhook_document(w) as body from webhook w where id = $1::uuid;

-- name: change_webhook
select * from webhook_change($1::uuid, $2::bigint, $3::jsonb, $4::json, $5::integer);

-- name: delete_webhook
select * from webhook_delete($1::uuid);

-- name: rotate_webhook_secret
select * from webhook_rotate($1::uuid, $2::boolean, $3::integer);

-- name: confirm_webhook
select * from webhook_confirm($1::uuid, $2::integer);

-- name: webhook_token_seen
select webhook_token_seen($1::bigint);

-- name: webhook_pause_unconfirmed
select webhook_pause_unconfirmed() as number;

-- name: ping_webhook
select * from webhook_ping($1::uuid, $2::boolean);

-- name: list_deliveries page
-- of: webhook w: w.id = $id::uuid
-- row: webhook_delivery d: webhook_delivery_document(d)
-- sort -entry: d.entry desc
-- part webhook_id: d.webhook_id = $id::uuid
-- filter status: d.status = any ($[])

-- name: get_delivery
select 0 as version, webhook_delivery_document(d) as body
from webhook_delivery d where webhook_id = $1::uuid and id = $2::uuid;

-- name: replay_delivery
select * from webhook_replay($1::uuid, $2::uuid);

-- name: webhooks_due
select * from webhook_due($1::bigint);

-- name: take_deliveries
select * from webhook_take($1::uuid, $2::bigint, $3::integer, $4::integer);

-- name: finish_delivery
select webhook_finish($1::uuid, $2::uuid, $3::integer, $4, $5::integer, $6::integer, $7::integer);

-- name: webhook_backlog
select * from webhook_backlog();

-- name: expire_deliveries
select webhook_expire($1::integer, $2::integer) as number;
