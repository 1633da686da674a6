-- The documents of a case's parts: children and actions.

-- The document of a child. Without the scope children.read, `child_ref`, `family_ref` and `age_years` are null, so that
-- it shows only bands.
create function child_document(c child) returns json language sql stable as $$
    select json_build_object(
        'id', c.id,
        'case_id', c.case_id,
        'child_ref', case when has_scope('children.read') then c.child_ref end,
        'family_ref', case when has_scope('children.read') then c.family_ref end,
        'outcome', c.outcome,
        'outcome_first_recorded', c.outcome_first_recorded,
        'age_band', c.age_band,
        'age_years', case when has_scope('children.read') then c.age_years end,
        'sex', c.sex,
        'ethnic_group', c.ethnic_group,
        'disability', c.disability,
        'legal_status', c.legal_status,
        'register_status', c.register_status,
        'siblings_count_band', c.siblings_count_band,
        'known_to', c.known_to,
        'cause_of_death_group', c.cause_of_death_group,
        'harm_types', c.harm_types,
        'carm', c.carm,
        'national_hub_submitted_on', c.national_hub_submitted_on,
        'created_at', rendered(c.created_at),
        'updated_at', rendered(c.updated_at),
        'version', c.version,
        'etag', entity_tag(c.version),
        'links', json_build_object(
            'self', '/v1/cases/' || c.case_id || '/children/' || c.id,
            'case', '/v1/cases/' || c.case_id))
$$;

-- Returns the facts of a child that organisations may know which do not work on the case.
create function child_bands(c child) returns jsonb language sql immutable as $$
    select jsonb_build_object('outcome', c.outcome, 'age_band', c.age_band, 'sex', c.sex,
        'register_status', c.register_status, 'legal_status', c.legal_status)
$$;

-- The document of an action. The identifier and link of the case are null for callers outside its committee.
create function action_document(a action) returns json language sql stable as $$
    select json_build_object(
        'id', a.id,
        'case_id', case when a.committee = claim('committee') then a.case_id end,
        'case_reference', a.case_reference,
        'committee', a.committee,
        'title', a.title,
        'themes', a.themes,
        'owner_organisation', a.owner_organisation,
        'status', a.status,
        'due_on', a.due_on,
        'original_due_on', a.original_due_on,
        'overdue', a.due_on < today()
            and a.status in ('proposed', 'agreed', 'in_progress'),
        'slippage_days', a.due_on - a.original_due_on,
        'lateness_days', a.completed_on - a.original_due_on,
        'strategy_id', a.strategy_id,
        'owner_role', a.owner_role,
        'contributors', a.contributors,
        'owner_accepted_on', a.owner_accepted_on,
        'depends_on', a.depends_on,
        'replaces', a.replaces,
        'replaced_by', a.replaced_by,
        'cog_note', a.cog_note,
        'impact_reviewed_on', a.impact_reviewed_on,
        'success_measure', a.success_measure,
        'priority', a.priority,
        'scope', a.scope,
        'resource_issue', a.resource_issue,
        'progress', a.progress,
        'completed_on', a.completed_on,
        'evidence', a.evidence,
        'verified_on', a.verified_on,
        'reason', a.reason,
        'created_at', rendered(a.created_at),
        'updated_at', rendered(a.updated_at),
        'version', a.version,
        'etag', entity_tag(a.version),
        'links', json_build_object(
            'self', '/v1/actions/' || a.id,
            'updates', '/v1/actions/' || a.id || '/updates',
            'impact_reviews', '/v1/actions/' || a.id || '/impact-reviews',
            'case', case when a.committee = claim('committee') then '/v1/cases/' || a.case_id end))
$$;
