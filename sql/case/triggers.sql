-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('review_case', 'case', 'stage', 'stage_entered_on', 'stage_due_on',
    'original_due_on', 'revised_due_on', 'held_since', 'clock_stopped',
    'earliest_referral_received_on', 'closed_on', 'closure', 'decision_outcome', 'legal_hold',
    'legal_hold_reason', 'merged_into');
select record_changes_of('child', 'child', 'national_hub_submitted_on');
select record_changes_of('case_stage', 'stage', 'left_on', 'due_on', 'revised_due_on',
    'held_since', 'delay_reasons');
