-- Turns the tables of the last version before the baseline into those of sql/<subject>/tables.sql.

drop index review_case_merged_into_idx1;
comment on column webhook.client is 'The client that registered it. The webhook sends only what this client may see.';
