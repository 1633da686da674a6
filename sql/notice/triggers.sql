-- What the timeline records of the subject's tables, and which members of a row move by themselves (record_changes_of in
-- sql/changes/triggers.sql).

select record_changes_of('notice', 'notice', 'snapshot', 'due_on', 'decision_id', 'withdrawn_on');
