-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('notice', 'notice', 'snapshot', 'due_on', 'decision_id', 'withdrawn_on');
