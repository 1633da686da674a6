-- What a notice said when it was sent. JSON as text keeps the order of its members. Notices sent before have none.
alter table notice add column content json check (content is null or sent_on is not null);
