-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('note', 'note');
select record_changes_of('task', 'task', 'status', 'done_on', 'due_on');
