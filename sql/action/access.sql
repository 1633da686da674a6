grant select, insert, update on action to register_service;
select close_table('action_update');
grant select, insert on action_update to register_service;

create policy service_read on action for select to register_service using (
    (committee = (select claim('area')) or owner_organisation = (select own_organisation())
        or case_id = any ((select readable_cases())::uuid[]))
    and (select has_any_scope('actions.read', 'actions.write', 'actions.verify', 'cases.read', 'cases.write')));
create policy service_insert on action for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('actions.write')));
create policy service_update on action for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('actions.write') or has_scope('actions.verify'))
    or owner_organisation = (select own_organisation()) and (select has_scope('actions.write')))
    with check (committee = (select claim('committee')) or owner_organisation = (select own_organisation()));

create policy service_read on action_update for select to register_service using (
    exists (select from action a where a.id = action_id));
create policy service_insert on action_update for insert to register_service with check (
    reported_by = (select claim('organisation')) and exists (select from action a where a.id = action_id));

-- The committee records the impact of an action. Every caller who sees the action sees its impact reviews.
grant select, insert on impact_review to register_service;
create policy service_read on impact_review for select to register_service using (
    exists (select from action a where a.id = action_id));
create policy service_insert on impact_review for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('actions.verify')));
