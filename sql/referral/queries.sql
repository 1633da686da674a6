-- Referrals: pushing, reading, deciding.

-- name: push_referrals
-- $1: array of {n, key, hash, doc, request}. Returns one row for each item: status 201 created; 200 present already (or
-- a repetition); 403, 409 and 422 refused; 0 if another transaction interfered and the service must try again. An item
-- with a request gets its own entry in the audit trail; items without one share an entry (audit_write).
with item as materialized (
    select i.n, i.key, i.hash, i.request, i.doc ->> 'source_system' as system, i.doc ->> 'source_reference' as name,
        json_populate_record(null::referral_input, i.doc) as input,
        row_number() over (partition by i.key order by i.n) as key_seen,
        row_number() over (partition by i.doc ->> 'source_system', i.doc ->> 'source_reference'
            order by i.n) as name_seen
    from json_to_recordset($1::json) as i (n integer, key text, hash text, doc json, request text)
), judged as materialized (
    select item.*, k.request_hash as known_hash, k.subject as known_id, k.status as known_status, k.body as known_body,
        k.version as known_version, k.location as known_location, r.found as existing,
        case when k.key is null and r.id is null then referral_faults(input) end as faults
    from item
    left join lateral (select * from idempotency_key
        where organisation = claim('organisation') and client = claim('client') and key = item.key
        offset 0) k on true
    left join lateral (select found, id from referral found
        where source_organisation = claim('organisation') and source_system = item.system
            and source_reference = item.name offset 0) r on true
), inserted as (
    insert into referral (id, reference, source_organisation, source_system, source_reference, pushed_hash,
        source_role, committee, local_authority, notified_on, received_on, aware_on, incident_on,
        incident_kind, children, criteria_claimed, basis, immediate_concerns, passed_to_organisation,
        agencies_involved, parallel_processes, other_committees, discussed_with_partners, guidance_edition)
    select made.id,
        format('RF-%s-%s-%s', extract(year from today()), (input).committee,
            upper(right(made.id::text, 10))),
        claim('organisation'), (input).source_system, (input).source_reference, hash,
        (input).source_role, (input).committee, (input).local_authority, (input).notified_on, today(),
        (input).aware_on, (input).incident_on, (input).incident_kind, (input).children,
        (input).criteria_claimed, (input).basis, (input).immediate_concerns,
        (input).passed_to_organisation, (input).agencies_involved, (input).parallel_processes,
        (input).other_committees, (input).discussed_with_partners, (input).guidance_edition
    from (select uuid_v7() as id, judged.* from judged
          where known_hash is null and (existing).id is null and faults is null
              and (key is null or key_seen = 1) and name_seen = 1
              and own_organisation() <> ''
          order by system, name offset 0) made
    on conflict (source_organisation, source_system, source_reference) do nothing
    returning source_system as system, source_reference as name, referral as made
), answered as materialized (
    select j.n, j.key, j.hash, j.request, j.known_hash is not null as replayed,
        case when own_organisation() = '' then 403
            when j.known_hash is not null then
                case when j.known_hash = j.hash then j.known_status else 422 end
            when (j.existing).id is not null then
                case when (j.existing).pushed_hash = j.hash then 200 else 409 end
            when j.faults is not null then 422
            when (i.made).id is not null then 201
            else 0 end as status,
        coalesce((coalesce(i.made, j.existing)).id, j.known_id) as id,
        (coalesce(i.made, j.existing)).case_id as case_id,
        coalesce((coalesce(i.made, j.existing)).committee, (j.input).committee) as committee,
        coalesce(j.known_version, (coalesce(i.made, j.existing)).version) as version,
        coalesce(j.known_location, '/v1/referrals/' || (coalesce(i.made, j.existing)).id) as location,
        coalesce(j.known_body, referral_document(coalesce(i.made, j.existing))::text) as body,
        case when own_organisation() = '' then 'organisation_not_allowed'
            when j.known_hash is not null then 'idempotency_key_reused'
            when (j.existing).id is not null then 'natural_key_conflict' else 'rule_violation' end as code,
        case when own_organisation() <> '' then j.faults end as faults
    from judged j
    left join inserted i on i.system = j.system and i.name = j.name
        and j.name_seen = 1 and (j.key is null or j.key_seen = 1)
), stored as (
    insert into idempotency_key (organisation, client, key, request_hash, status, version, location, body,
        collection, subject, seen)
    select claim('organisation'), claim('client'), key, hash, status, version, location, body, 'referrals', id, true
    from answered
    where key is not null and not replayed and status in (200, 201)
    order by key
), audited as materialized (
    select audit_pushed(array_agg(request), array_agg(case when replayed or status = 200 then 'read' else 'change' end),
        array_agg(id), array_agg(case_id), array_agg(committee)) as noted
    from answered
    where request is not null and status in (200, 201)
    having count(*) > 0
)
select n, status, replayed, id, version, location,
    case when status in (200, 201) then body end as body,
    case when status >= 400 then code end as code, faults as errors, noted
from answered left join audited on true
order by n;

-- name: validate_referral
select referral_validate($1::jsonb) as body;

-- name: list_referrals page
-- row: referral r: referral_document(r)
-- sort -received_at: r.received_at desc, r.id desc
-- sort received_at: r.received_at, r.id
-- sort -updated_at: r.updated_at desc, r.id desc
-- part source_organisation: r.source_organisation = claim('organisation')
-- part committee: r.committee = claim('area') and r.source_organisation <> claim('organisation')
-- filter reference: r.reference = any ($[])
--   index (reference)
-- filter source_reference: r.source_reference = any ($[])
--   index (source_reference)
-- filter status: r.status = any ($[])
--   index (committee, status, received_at desc, id desc)
--   index (source_organisation, status, received_at desc, id desc)
-- filter received_from: r.received_on >= $::date
--   range -received_at: r.received_at >= ($::date - 1)::timestamptz
--   range received_at: r.received_at >= ($::date - 1)::timestamptz
-- filter received_to: r.received_on < $::date
--   range -received_at: r.received_at < ($::date + 1)::timestamptz
--   range received_at: r.received_at < ($::date + 1)::timestamptz
-- filter committee: r.committee = any ($[])
--   index (committee, received_at desc, id desc)
-- filter source_system: r.source_system = any ($[])
-- filter updated_since: r.updated_at >= $::timestamptz
--   range -updated_at
-- filter retention_due=true costly: referral_retain_until(r) < today()
-- filter retention_due=false costly: coalesce(referral_retain_until(r) >= today(), true)

-- name: get_referral
select version, referral_document(r) as body from referral r where id = referral_named($1);

-- name: get_referral_origin
select committee, source_system from referral where id = $1::uuid;

-- name: change_referral
select * from referral_change($1::uuid, $2::bigint, $3::jsonb);

-- name: withdraw_referral
select * from referral_withdraw($1::uuid, $2::bigint, $3::jsonb);

-- name: acknowledge_referral
select * from referral_acknowledge($1::uuid, $2::bigint, $3::jsonb);

-- name: accept_referral
select * from referral_accept($1::uuid, $2::bigint, $3::jsonb);

-- name: reject_referral
select * from referral_reject($1::uuid, $2::bigint, $3::jsonb);
