-- Auditors see the whole trail. A committee and its chief officers see the entries that concern the committee.

-- Whether the caller is an auditor, who sees the whole trail.
create or replace function audits_all() returns boolean language sql stable as $$
    select claim('kind') = 'auditor' and has_scope('audit.read')
$$;

select close_table(name) from unnest(array['audit_entry', 'audit_seal', 'audit_head', 'audit_checkpoint']) name;
grant select on audit_entry, audit_seal, audit_head, audit_checkpoint to register_service;
create policy service_read on audit_seal for select to register_service using ((select audits_all()));
create policy service_read on audit_checkpoint for select to register_service using ((select audits_all()));
create policy service_read on audit_head for select to register_service using ((select has_scope('audit.read')));
create policy service_read on audit_entry for select to register_service using (
    (select audits_all()) or (select has_scope('audit.read')) and committees @> array[(select claim('area'))]);
