-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('document', 'document', 'media_type', 'size', 'digest');
select record_changes_of('document_release', 'document_release', 'withdrawn_on', 'withdrawal_reason');
