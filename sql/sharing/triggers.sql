-- What the timeline records of the subject's tables, and which members of a row move by themselves (record_changes_of in
-- sql/changes/triggers.sql).

select record_changes_of('case_transfer', 'transfer', 'status', 'decided_on', 'answer');
select record_changes_of('case_access', 'access', 'ended_on');
