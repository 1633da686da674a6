-- The functions that also run on a standby (service/db/replica_router.c).

-- Raises the error of a write on a standby, so that the service sends the request to the primary.
create function leave_to_primary(reason text) returns void language plpgsql as $$
begin
    raise exception using errcode = 'read_only_sql_transaction', message = reason;
end
$$;

-- Waits up to 100 ms until this standby has replayed all that the primary had committed at the position; else sends the
-- request to the primary. Later statements of the transaction take their own snapshots, which contain all of that.
create function await_position(p_position pg_lsn) returns void language plpgsql as $$
declare
    until timestamptz := clock_timestamp() + interval '100 ms';
begin
    while pg_is_in_recovery() and pg_last_wal_replay_lsn() < p_position and clock_timestamp() < until loop
        perform pg_sleep(0.001);
    end loop;
    if not pg_is_in_recovery() then
        perform leave_to_primary('this is no standby any more');
    elsif pg_last_wal_replay_lsn() < p_position then
        perform leave_to_primary('this standby is behind');
    end if;
end
$$;
