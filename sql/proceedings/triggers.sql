-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('proceeding', 'proceeding', 'ended_on', 'contact_made_on', 'contact_with',
    'liaison_meeting_on', 'position', 'agreed_with', 'restrictions', 'permitted', 'exchanges', 'review_on');
select record_changes_of('case_hold', 'hold', 'planned_until', 'review_on', 'lifted_on');
