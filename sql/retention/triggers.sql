-- A change of a fact that decides how long a case or referral is kept stops an announced erasure
-- (sql/retention/erasure.sql).

-- Stops the announced erasure of a case that is held, re-opened, transferred or merged, and of the case into which it
-- was merged. Runs as the owner: the caller who sets a hold may not be allowed to stop erasures.
create or replace function erasure_case_changed() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    update erasure set status = 'stopped', stopped_on = today(),
            stopped_because = case when new.legal_hold then 'legal_hold' else 'changed' end
        where case_id in (new.id, new.merged_into, old.merged_into) and status = 'announced';
    return null;
end
$$;

-- Stops the announced erasure of a referral whose status, decision or committee changes. Runs as the owner: the caller
-- may not be allowed to stop erasures.
create or replace function erasure_referral_changed() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    update erasure set status = 'stopped', stopped_on = today(), stopped_because = 'changed'
        where referral_id = new.id and status = 'announced';
    return null;
end
$$;

select record_changes_of('retention_rule', 'retention_rule', 'withdrawn_on');
select record_changes_of('erasure', 'erasure', 'status', 'stopped_on', 'stopped_because');
create trigger erasure_stops after update of legal_hold, closed_on, committee, merged_into on review_case
    for each row when ((old.legal_hold, old.closed_on, old.committee, old.merged_into)
        is distinct from (new.legal_hold, new.closed_on, new.committee, new.merged_into))
    execute function erasure_case_changed();
create trigger erasure_stops after update of status, decided_on, committee on referral
    for each row when ((old.status, old.decided_on, old.committee)
        is distinct from (new.status, new.decided_on, new.committee))
    execute function erasure_referral_changed();
