-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('action', 'action', 'status', 'progress', 'completed_on', 'completed_by',
    'evidence', 'verified_on', 'reason', 'due_on', 'contributors', 'depends_on', 'replaces', 'replaced_by',
    'impact_reviewed_on');
select record_changes_of('impact_review', 'impact_review');
