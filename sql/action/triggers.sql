-- The tables whose changes the timeline records, and the members of each that other functions change (record_changes_of
-- in sql/changes/triggers.sql).

select record_changes_of('action', 'action', 'status', 'progress', 'completed_on', 'completed_by',
    'evidence', 'verified_on', 'reason', 'due_on', 'contributors', 'depends_on', 'replaces', 'replaced_by',
    'impact_reviewed_on', 'requested_due_on', 'extension_reason', 'extension_requested_on');
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
