-- Indexes for the filters of the lists (service/db/lists.py): the column of the part, the filter, the sort order.
create index review_case_committee_stage_opened_on on review_case (committee, stage, opened_on desc, id desc);
create index review_case_committee_stage_stage_due_or_never on review_case (committee, stage, stage_due_or_never, id);
create index review_case_committee_review_type_opened_on
    on review_case (committee, review_type, opened_on desc, id desc);
create index review_case_committee_opened_on_held
    on review_case (committee, opened_on desc, id desc) where clock_stopped;

create index action_committee_owner_organisation_due_on on action (committee, owner_organisation, due_on, id);
create index action_committee_status_due_on on action (committee, status, due_on, id);
create index action_committee_status_updated_at on action (committee, status, updated_at desc, id desc);
create index action_owner_organisation_status_due_on on action (owner_organisation, status, due_on, id);
create index action_committee_due_on_open
    on action (committee, due_on, id) where status in ('proposed', 'agreed', 'in_progress');
create index action_owner_organisation_due_on_open
    on action (owner_organisation, due_on, id) where status in ('proposed', 'agreed', 'in_progress');
create index action_committee_priority_due_on on action (committee, priority, due_on, id);
create index action_committee_scope_due_on on action (committee, scope, due_on, id);

create index referral_source_reference on referral (source_reference);
create index referral_committee_status_received_at on referral (committee, status, received_at desc, id desc);
create index referral_source_organisation_status_received_at
    on referral (source_organisation, status, received_at desc, id desc);

create index case_decision_committee_updated_at on case_decision (committee, updated_at, id) where current;
create index case_decision_outcome_updated_at on case_decision (outcome, updated_at, id) where current;

create index information_request_committee_status_due_on on information_request (committee, status, due_on, id);
create index information_request_organisation_status_due_on on information_request (organisation, status, due_on, id);

create index proceeding_committee_kind_started_on on proceeding (committee, kind, started_on desc, id desc);
create index proceeding_committee_started_on_open
    on proceeding (committee, started_on desc, id desc) where ended_on is null;

create index notice_committee_recipient_updated_at on notice (committee, recipient, updated_at desc, id desc);
create index notice_committee_kind_updated_at on notice (committee, kind, updated_at desc, id desc);
create index notice_committee_updated_at_unsent
    on notice (committee, updated_at desc, id desc) where sent_on is null and withdrawn_on is null;

create index anonymous_review_committee_id on anonymous_review (committee, id);
