-- How far it has read is no change of the webhook.
create trigger count_version before update of url, types, status, secret_generation, confirm_by on webhook
    for each row execute function count_version();
