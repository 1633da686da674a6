-- The owner's request for a later due day, until the committee answers it. The log of the action keeps both.
alter table action
    add column requested_due_on date,
    add column extension_reason text check (length(extension_reason) between 1 and 2000),
    add column extension_requested_on date,
    add constraint action_extension_whole check (
        (requested_due_on is null) = (extension_reason is null)
        and (requested_due_on is null) = (extension_requested_on is null)),
    add constraint action_extension_open check (requested_due_on is null or status in ('agreed', 'in_progress')
        and requested_due_on > due_on);
create index action_committee_due_on_extension
    on action (committee, due_on, id) where requested_due_on is not null;
create index action_owner_organisation_due_on_extension
    on action (owner_organisation, due_on, id) where requested_due_on is not null;

alter table action_update
    drop constraint action_update_kind_check,
    drop constraint action_update_check,
    add constraint action_update_kind_check check (kind in ('progress', 'due_change', 'verified', 'returned',
        'extension_requested', 'extension_refused')),
    add constraint action_update_check check (
        (kind in ('due_change', 'extension_requested', 'extension_refused')) = (due_on is not null));
