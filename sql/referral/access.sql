grant select, insert, update on referral to register_service;

create policy service_read on referral for select to register_service using (
    source_organisation = (select own_organisation()) and (select has_any_scope('referrals.read', 'referrals.write'))
    or committee = (select claim('area')) and (select has_any_scope('referrals.read', 'cases.write', 'cases.read',
        'decisions.write', 'ratification.write')));
create policy service_insert on referral for insert to register_service with check (
    source_organisation = (select own_organisation()) and (select has_scope('referrals.write')));
create policy service_update on referral for update to register_service using (
    source_organisation = (select own_organisation()) and (select has_scope('referrals.write'))
    or committee = (select claim('committee')) and (select has_scope('cases.write') or has_scope('decisions.write')));
