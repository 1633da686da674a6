-- The timeline of a case does not contain its referrals; the change feed does (sql/changes/triggers.sql).

select count_versions_of('referral');
