-- The content of a notice at its sending. JSON as text keeps the order of its members. Earlier notices have none.
-- A notice that corrects an earlier one may say why.
alter table notice
    add column content json check (content is null or sent_on is not null),
    add column correction_reason text check (length(correction_reason) between 1 and 2000);
