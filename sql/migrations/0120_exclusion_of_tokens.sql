-- Of a client one token can be shut out, too, by its identifier (jti).
alter table exclusion
    add column token_id text check (length(token_id) between 1 and 128),    -- null: every token
    drop constraint exclusion_organisation_client_key,
    add unique nulls not distinct (organisation, client, token_id);
