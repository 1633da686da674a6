-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('case_transfer', 'transfer', 'status', 'decided_on', 'answer');
select record_changes_of('case_access', 'access', 'ended_on');
