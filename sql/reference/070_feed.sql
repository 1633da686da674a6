-- The kinds of things that the change feed tells of: one row for each subject of record_changes_of, and referrals.
-- An action's owner and a referral's sender see it without its case.
insert into feed_subject (subject, position, table_name, path, lane, scopes, committees, organisations, shared,
        unshown, guarded, renamed) values
    ('referral', 10, 'referral', '/v1/referrals/{id}', 'referrals', '{referrals.read}', '{committee}',
        '{source_organisation}', '{}', '{pushed_hash}', '{}', '{}'),
    ('case', 20, 'review_case', '/v1/cases/{id}', 'cases', '{cases.read}', '{committee}', '{}', '{granted}',
        '{stage_due_or_never}', '{}', '{}'),
    ('stage', 30, 'case_stage', '/v1/cases/{case}/stages', 'cases', '{cases.read}', '{committee}', '{}',
        '{granted}', '{sequence}', '{}', '{}'),
    ('child', 40, 'child', '/v1/cases/{case}/children/{id}', 'cases', '{cases.read}', '{committee}', '{}',
        '{granted}', '{}', '{child_ref,family_ref,age_years}', '{}'),
    ('decision', 50, 'case_decision', '/v1/cases/{case}/decision', 'cases', '{cases.read}', '{committee}', '{}',
        '{granted}', '{}', '{}', '{}'),
    ('access', 60, 'case_access', '/v1/cases/{case}/access/{id}', 'cases', '{cases.read}', '{committee}',
        '{organisation}', '{}', '{}', '{}', '{"client": "client_id"}'),
    ('transfer', 70, 'case_transfer', '/v1/transfers/{id}', 'cases', '{cases.read}',
        '{from_committee,to_committee}', '{}', '{}', '{}', '{}', '{}'),
    ('action', 80, 'action', '/v1/actions/{id}', 'actions', '{actions.read,cases.read}', '{committee}',
        '{owner_organisation}', '{granted}', '{completed_by}', '{}', '{}')
on conflict (subject) do update set (position, table_name, path, lane, scopes, committees, organisations, shared,
        unshown, guarded, renamed)
    = (excluded.position, excluded.table_name, excluded.path, excluded.lane, excluded.scopes, excluded.committees,
        excluded.organisations, excluded.shared, excluded.unshown, excluded.guarded, excluded.renamed);
