-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('action', 'action', 'status', 'progress', 'completed_on', 'completed_by',
    'evidence', 'verified_on', 'reason', 'due_on', 'contributors', 'depends_on', 'replaces', 'replaced_by',
    'impact_reviewed_on', 'impact_review_due_on', 'requested_due_on', 'extension_reason', 'extension_requested_on');
select record_changes_of('impact_review', 'impact_review');

-- Ends a request for more time that has lost its purpose: the action is completed or has ended, has another owner, or
-- has the requested or a later due day. A trigger, because older versions of the program do not know requests.
create or replace function action_extension_lapse() returns trigger language plpgsql as $$
begin
    if new.status not in ('agreed', 'in_progress') or new.owner_organisation <> old.owner_organisation
            or new.due_on >= new.requested_due_on then
        new.requested_due_on := null;
        new.extension_reason := null;
        new.extension_requested_on := null;
    end if;
    return new;
end
$$;

create trigger extension_lapse before update on action
    for each row when (new.requested_due_on is not null) execute function action_extension_lapse();

-- Sets the day of the next impact review of a verified action: the one that the latest review names, or one year after
-- the verification. A trigger, because older versions of the program do not know the column. Guidance 2024, chapter 5.
create or replace function action_impact_review_due() returns trigger language plpgsql as $$
declare
    latest impact_review;
begin
    if new.status <> 'verified' then
        new.impact_review_due_on := null;
        return new;
    end if;
    new.impact_review_due_on := new.verified_on + interval '1 year';
    for latest in select * from impact_review r where r.action_id = new.id
            order by r.reviewed_on desc, r.id desc limit 1 loop
        new.impact_review_due_on := latest.next_review_on;
    end loop;
    return new;
end
$$;

create trigger impact_review_due before insert or update on action
    for each row execute function action_impact_review_due();
