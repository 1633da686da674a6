-- Which keys the register has used: another pseudonym key would give the same children other references, another
-- webhook key every webhook another secret. A salted, slow hash of the key tells it from others and gives nothing away.
create table key_fingerprint (
    key text primary key check (key in ('pseudonym', 'webhook')),
    salt bytea not null check (length(salt) = 16),
    iterations integer not null check (iterations >= 100000),
    hash bytea not null check (length(hash) = 32),          -- PBKDF2-HMAC-SHA-256 of the key file's content
    recorded_at timestamptz not null default now(),
    replaced integer not null default 0                     -- how many times `learning-reviews replace-key` was used
);
