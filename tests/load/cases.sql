-- :cases cases of one committee, each with four stages and five actions, with ids that a client can compute.
set session_replication_role = replica; -- the measurement does not include triggers
insert into review_case (id, committee, reference, local_authority, review_type, guidance_edition, criteria, summary,
        opened_on, stage, stage_entered_on, stage_due_on, original_due_on)
    select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'GLA', 'LR-LOAD-' || n, 'S12000049',
        'single', 'child_2024', '{abuse_or_neglect}', 'Agencies shared what they knew late.',
        date '2020-01-01' + n % 2000, 'decision', date '2020-03-01' + n % 2000, date '2020-04-01' + n % 2000,
        date '2020-04-01' + n % 2000
    from generate_series(1, :cases) n;
insert into case_stage (id, committee, case_id, sequence, stage, entered_on, amount, unit, original_due_on, due_on,
        left_on, recorded_by)
    select uuid_v7(), c.committee, c.id, s.position, s.code, c.opened_on + 10 * s.position,
        14, 'calendar_days', c.opened_on + 10 * s.position + 14, c.opened_on + 10 * s.position + 14,
        case when s.position < 4 then c.opened_on + 10 * s.position + 10 end,
        'CPC-GLA'
    from review_case c join stage s on s.position <= 4
    where c.reference like 'LR-LOAD-%';
insert into child (id, committee, case_id, child_ref, outcome, outcome_first_recorded, age_band, sex, ethnic_group,
        disability, legal_status, register_status, known_to, harm_types, carm)
    select uuid_v7(), c.committee, c.id, md5(c.id::text), 'significant_harm', 'significant_harm', '5_10', 'female',
        'unknown', 'no', 'none', 'never', '{}', '{neglect}', false
    from review_case c where c.reference like 'LR-LOAD-%';
insert into action (id, committee, case_id, case_reference, title, themes, owner_organisation, status, due_on,
        original_due_on, success_measure, priority, scope, resource_issue)
    select uuid_v7(), c.committee, c.id, c.reference, 'Agree how chronologies are shared', '{information_sharing}',
        'LA-S12000049', 'in_progress', c.opened_on + 300 + n, c.opened_on + 300 + n, 'Audit finds them shared',
        'medium', 'local', 'none'
    from review_case c cross join generate_series(1, 5) n
    where c.reference like 'LR-LOAD-%';
analyze;
