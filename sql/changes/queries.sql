-- The change feed: reading it and maintaining it (service/db/feed.c).

-- name: list_changes standby
-- $1: position or null, $2: limit, $3: number up to which the feed is complete, $4: CloudEvents.
select * from feed_page($1::jsonb, $2::integer, $3::bigint, $4::boolean);

-- name: list_present standby
select * from feed_snapshot($1::jsonb, $2::integer, $3::bigint, $4::boolean);

-- name: feed_last
select last_value as number from feed_number;

-- name: feed_barrier
-- A transaction that drew a number before this one has a lower transaction number. The message makes the commit of this
-- transaction wait for disk and synchronous standby. The last number of the sequence is then as durable as a change: no
-- number that a consumer has seen is drawn again after a crash or a failover.
select pg_current_xact_id()::text as number from pg_logical_emit_message(true, 'register', '');

-- name: feed_oldest
select pg_snapshot_xmin(pg_current_snapshot())::text as number;

-- name: feed_fresh
select t from feed_fresh($1::text[], $2::bigint, $3::bigint) t;

-- name: feed_listen unprepared
listen register_feed;

-- name: feed_notify unprepared
notify register_feed;

-- name: feed_expire
select feed_expire($1::integer, $2::integer) as number;

-- name: feed_sight_due
select feed_sight_due() as number;
