-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('mandate', 'mandate', 'target_completion_on', 'legal_advice', 'media_plan',
    'staff_support_plan');
select record_changes_of('team_member', 'team_member');
select record_changes_of('family_liaison', 'family_liaison', 'coordinated_with_police',
    'interpreter_needed', 'advocacy_needed');
select record_changes_of('family_engagement', 'family_engagement', 'response', 'response_reason',
    'not_invited_reason');
select record_changes_of('practitioner_engagement', 'practitioner_engagement');
select record_changes_of('finding', 'finding');
select record_changes_of('strategy', 'strategy');
