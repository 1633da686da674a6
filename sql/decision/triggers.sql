-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('information_request', 'information_request', 'status', 'due_on');
select record_changes_of('recommendation', 'recommendation');
select record_changes_of('case_decision', 'decision', 'current', 'family_informed_on',
    'family_wait_reason', 'chief_officers_informed_on');
