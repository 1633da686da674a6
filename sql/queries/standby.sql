-- Reads on a standby that are never older than their request (service/db/replica_router.c).

-- name: commit_position
-- Asked of the primary: whatever it has acknowledged lies below.
select pg_current_wal_flush_lsn() as position;

-- name: await_position
select await_position($1::pg_lsn);
