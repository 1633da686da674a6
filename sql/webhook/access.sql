-- A webhook belongs to its client's organisation.

select close_table(name) from unnest(array['webhook', 'webhook_delivery', 'webhook_client']) name;
grant select, insert, update on webhook, webhook_delivery to register_service;

-- A client that shares its organisation's code with other bodies sees only its own webhooks.
create policy service_all on webhook to register_service using (
    (organisation = (select own_organisation())
        or organisation = (select claim('organisation')) and client = (select claim('client')))
    and (select has_scope('webhooks.manage')));
create policy service_all on webhook_delivery to register_service using (
    (organisation = (select own_organisation())
        or organisation = (select claim('organisation')) and exists (select from webhook w where w.id = webhook_id))
    and (select has_scope('webhooks.manage')));
