-- What runs on a standby as well (service/db/replica_router.c).

-- Leaves a request to the primary: a standby answers as if it had been asked to write.
create function leave_to_primary(reason text) returns void language plpgsql as $$
begin
    raise exception using errcode = 'read_only_sql_transaction', message = reason;
end
$$;

-- Waits a moment until this standby has replayed what the primary had committed up to the position. Statements after
-- it in the same transaction take snapshots of their own, which have all of that.
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
