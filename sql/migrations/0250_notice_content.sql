-- The content of a notice at its sending. JSON as text keeps the order of its members. Earlier notices have none.
alter table notice add column content json check (content is null or sent_on is not null);
