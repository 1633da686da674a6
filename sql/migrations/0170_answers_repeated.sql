-- What a stored answer is about, so that its repetition shows no more than the caller may see by then
-- (sql/functions/011_idempotency.sql).
alter table idempotency_key
    add column collection text,                     -- /v1/<collection>/<subject>; null: about nothing that can be hidden
    add column subject uuid,
    add column seen boolean not null default false; -- whether the caller could see it after the first answer
update idempotency_key set collection = split_part(location, '/', 3), subject = split_part(location, '/', 4)::uuid,
        seen = true
    where location ~ '^/v1/[a-z-]+/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/|$)';
create index on idempotency_key (subject) where subject is not null;
