-- Who may see and change what: row-level security behind the service's own checks.
-- The claims are settings of the transaction (see sql/queries/principal.sql); an unset claim is null or ''
-- and equals no code, so that a transaction without claims sees nothing.
do $$
declare
    name text;
begin
    foreach name in array array['referral', 'idempotency_key', 'case_counter', 'review_case', 'child',
            'case_stage', 'case_decision', 'action', 'action_update'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('drop policy if exists owner_all on %I', name);
        execute format('create policy owner_all on %I to register_owner using (true)', name);
        execute format('revoke all on %I from register_service', name);
        execute format('drop policy if exists service_read on %I', name);
        execute format('drop policy if exists service_insert on %I', name);
        execute format('drop policy if exists service_update on %I', name);
        execute format('drop policy if exists service_delete on %I', name);
    end loop;
end
$$;

grant select, insert, update on referral, case_counter, review_case, child, case_stage, case_decision, action
    to register_service;
grant select, insert on action_update to register_service;
grant select, insert, update, delete on idempotency_key to register_service;

create policy service_read on referral for select to register_service using (
    source_organisation = (select claim('organisation')) and (select has_scope('referrals.read') or has_scope('referrals.write'))
    or committee = (select claim('committee')) and (select has_scope('referrals.read') or has_scope('cases.write') or has_scope('cases.read')));
create policy service_insert on referral for insert to register_service with check (
    source_organisation = (select claim('organisation')) and (select has_scope('referrals.write')));
create policy service_update on referral for update to register_service using (
    source_organisation = (select claim('organisation')) and (select has_scope('referrals.write'))
    or committee = (select claim('committee')) and (select has_scope('cases.write') or has_scope('decisions.write')));

create policy service_read on idempotency_key for select to register_service using (
    organisation = (select claim('organisation')) or created_at < now() - interval '7 days');
create policy service_insert on idempotency_key for insert to register_service with check (
    organisation = (select claim('organisation')) and client = (select claim('client')));
create policy service_update on idempotency_key for update to register_service using (
    organisation = (select claim('organisation')) and client = (select claim('client')));
create policy service_delete on idempotency_key for delete to register_service using (
    created_at < now() - interval '7 days');

create policy service_read on review_case for select to register_service using (
    committee = (select claim('committee')) and (select has_scope('cases.read') or has_scope('cases.write')
        or has_scope('decisions.write') or has_scope('actions.write')));
create policy service_insert on review_case for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_update on review_case for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('cases.write')
        or has_scope('decisions.write') or has_scope('actions.write')));

create policy service_read on case_counter for select to register_service using (
    committee = (select claim('committee')));
create policy service_insert on case_counter for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_update on case_counter for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('cases.write')));

do $$
declare
    name text;
begin
    foreach name in array array['child', 'case_stage', 'case_decision'] loop
        execute format($policy$create policy service_read on %I for select to register_service using (
            committee = (select claim('committee')) and (select has_scope('cases.read')
                or has_scope('cases.write') or has_scope('decisions.write') or has_scope('actions.write')))$policy$, name);
        execute format($policy$create policy service_insert on %I for insert to register_service with check (
            committee = (select claim('committee')) and (select has_scope('cases.write')
                or has_scope('decisions.write')))$policy$, name);
        execute format($policy$create policy service_update on %I for update to register_service using (
            committee = (select claim('committee')) and (select has_scope('cases.write')
                or has_scope('decisions.write')))$policy$, name);
    end loop;
end
$$;

create policy service_read on action for select to register_service using (
    (committee = (select claim('committee')) or owner_organisation = (select claim('organisation')))
    and (select has_scope('actions.read') or has_scope('actions.write') or has_scope('actions.verify')
        or has_scope('cases.read') or has_scope('cases.write')));
create policy service_insert on action for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('actions.write')));
create policy service_update on action for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('actions.write') or has_scope('actions.verify'))
    or owner_organisation = (select claim('organisation')) and (select has_scope('actions.write')))
    with check (committee = (select claim('committee')) or owner_organisation = (select claim('organisation')));

create policy service_read on action_update for select to register_service using (
    exists (select from action a where a.id = action_id));
create policy service_insert on action_update for insert to register_service with check (
    reported_by = (select claim('organisation')) and exists (select from action a where a.id = action_id));

revoke all on all functions in schema register from public;
grant execute on all functions in schema register to register_service, register_owner;
