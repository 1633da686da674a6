-- Transactions of more than one round trip.

-- name: begin
begin;

-- name: commit
commit;

-- name: rollback
rollback;
