-- A code that several bodies share: what hangs on it belongs to none of them in common, only to the client.
alter table organisation add column collective boolean not null default false;
