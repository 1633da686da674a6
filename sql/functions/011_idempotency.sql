-- The answer stored under a key of the caller's, if there is one. A request under the same key that still runs is
-- waited for first: what it stores is seen, so that its repetition is not judged by the state that it left.
create or replace function idempotency_known(p_key text) returns setof idempotency_key
language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(
        concat_ws(' ', claim('organisation'), claim('client'), p_key), 1));
    return query select * from idempotency_key
        where organisation = claim('organisation') and client = claim('client') and key = p_key;
end
$$;
