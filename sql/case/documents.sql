-- The documents of children: whole, and in bands.

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
create function child_bands(c child) returns jsonb language sql stable as $$
    select jsonb_build_object('outcome', c.outcome, 'age_band', c.age_band, 'sex', c.sex,
        'register_status', c.register_status, 'legal_status', c.legal_status)
$$;
