-- Reading on in the feed does not change the version of a webhook.
create trigger count_version before update of url, types, status, secret_generation, confirm_by on webhook
    for each row execute function count_version();
