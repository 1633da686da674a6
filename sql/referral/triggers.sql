-- The timeline of a case does not contain its referrals; the change feed does (sql/changes/triggers.sql).

select count_versions_of('referral');

-- Whether the committee has not decided about the referral and the sender has not withdrawn it.
create or replace function referral_is_undecided(status text) returns boolean language sql immutable as $$
    select status in ('submitted', 'acknowledged')
$$;
