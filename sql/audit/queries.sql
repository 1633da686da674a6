-- The audit trail.

-- name: audit_write
-- $1: operation, $2: kind, $3: request, $4: collection, $5: ids, $6: ids of parts, $7: items of a list.
select audit_write($1, $2, $3, $4, $5::uuid[], $6::uuid[], $7::integer);

-- name: audit_write_reads
-- $1: a JSON array of entries {n, operation, request, collection, ids, parts, items}. Returns the columns that
-- group_commit_new expects.
select n, 201 as status, false as replayed, null::text as id, null::bigint as version, null::text as location,
    null::text as body, null::text as code, null::json as errors
from audit_write_reads($1::json) n;

-- name: audit_seal_next
select audit_seal_next($1::integer) as number;

-- name: audit_watch
-- $1, $2: position and number of the last known entry; $3, $4: those of the patrol; $5: the number of seals to check.
select position, number, hash, behind, known_hash, removed, patrol_position, patrol_number, round_ends, gap, disabled
from audit_watch($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::integer);

-- name: audit_prune
select audit_prune($1::integer) as number;

-- name: list_audit
-- accepts: sort=-number|number, case_id, referral_id, organisation, client, operation, kind=read|change, from, to
select * from audit_page($1::jsonb, $2::jsonb, $3::bigint);

-- name: get_audit_head
select position as version, audit_head_document() as body from audit_head;

-- name: audit_chain unprepared
-- Every entry with its seal, in the order of the chain; a row that only one side has contains nulls on the other.
-- PostgreSQL reads two indexes in parallel (see audit_in_order): with an order by either number, it would sort
-- everything again. The reader checks the order.
select e.number, e.at, e.organisation, e.client, e.operation, e.kind, e.request, e.collection, e.ids, e.cases,
    e.committees, e.parts, e.items, s.number, s.position, s.hash
from audit_entry e full join audit_seal s on s.number = e.number;

-- name: audit_in_order unprepared
select set_config(name, 'off', true)
from unnest(array['enable_hashjoin', 'enable_nestloop', 'enable_seqscan', 'enable_bitmapscan', 'enable_sort']) name;

-- name: audit_ends unprepared
-- The beginning and the end of the chain.
select coalesce(c.position, 0) as removed, coalesce(c.number, 0) as removed_number,
    coalesce(encode(c.hash, 'hex'), repeat('00', 32)) as removed_hash,
    h.position, h.number, encode(h.hash, 'hex') as hash
from audit_head h left join audit_checkpoint c on true
order by c.position desc nulls last
limit 1;
