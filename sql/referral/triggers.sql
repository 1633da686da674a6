-- The timeline of a case holds none of its referrals; the change feed does (sql/changes/triggers.sql).

select count_versions_of('referral');
