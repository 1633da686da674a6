-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('report', 'report', 'drafted_on', 'accuracy_checked_on', 'family_feedback_on',
    'prosecution_consulted_on', 'committee_agreed_on', 'sections', 'document_digest', 'written_by',
    'agreed_by');
select record_changes_of('ratification', 'ratification', 'plan_considered_on', 'resource_issues_raised');
select record_changes_of('publication', 'publication', 'reporting_restrictions_checked',
    'published_on', 'anonymisation_checked_on', 'anonymisation_checked_by', 'anonymisation_checked_digest',
    'written_by');
select record_changes_of('dissemination', 'dissemination');
select record_changes_of('evaluation', 'evaluation');
select record_changes_of('discontinuation', 'discontinuation', 'committee_agreed_on',
    'chief_officers_agreed_on');
