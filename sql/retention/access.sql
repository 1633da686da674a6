grant select, insert on anonymous_review, retention_rule, erasure to register_service;
grant update (withdrawn_on) on retention_rule to register_service;
grant update (status, stopped_on, stopped_because) on erasure to register_service;

create policy service_insert on anonymous_review for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('retention.write')));
create policy service_read on anonymous_review for select to register_service using (
    committee = (select claim('area')) and (select has_any_scope('cases.read', 'retention.write')));

-- No client may shorten retention before the end of the notice period, or change a rule that has begun.
create policy service_read on retention_rule for select to register_service using (
    (committee is null or committee = (select claim('area')))
    and (select has_any_scope('cases.read', 'retention.write')));
create policy service_insert on retention_rule for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('retention.write'))
    and valid_from >= (select notice_ends()) and withdrawn_on is null);
create policy service_update on retention_rule for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('retention.write'))
    and valid_from > (select today()) and withdrawn_on is null)
    with check (committee = (select claim('committee')) and withdrawn_on = (select today()));

-- A client announces an erasure in its own name, for a day that leaves time to stop it.
create policy service_read on erasure for select to register_service using (
    committee = (select claim('area')) and (select has_any_scope('cases.read', 'cases.write', 'retention.write')));
create policy service_insert on erasure for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('retention.write'))
    and status = 'announced' and announced_by = (select claim('client')) and not_before >= (select notice_ends()));
create policy service_update on erasure for update to register_service using (
    committee = (select claim('committee')) and status = 'announced'
    and (select has_any_scope('cases.write', 'retention.write')))
    with check (committee = (select claim('committee')) and status = 'stopped');
