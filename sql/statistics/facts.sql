-- The facts that statistics count: those of a case, of the remains of an erased case, and of a referral.
--
-- A fact belongs to a measure: a table of statistic_table, alone or followed by '.' and one of its breakdowns, by '#'
-- (the reviews of which shares are taken) or by '~' (days of which a median is taken). Its key holds the category and
-- the group. Facts have months instead of days, because an erased case keeps no more.

-- Returns the first day of a month in the form YYYY-MM; null for null.
create function month_day(month text) returns date language sql immutable as $$
    select (month || '-01')::date
$$;

-- Returns the first day of the month of a day; null for null.
create function first_of_month(day date) returns date language sql immutable as $$
    select date_trunc('month', day::timestamp)::date
$$;

-- Returns the facts that live and erased cases have in the same form; `f` is a result of anonymous_facts.
create function statistic_common_facts(f jsonb, scopes text[]) returns setof statistic_fact
language plpgsql stable as $$
declare
    decided date := month_day(f ->> 'decided_month');
    started date := month_day(f ->> 'set_up_month');
    ratified date := month_day(f ->> 'ratified_month');
    outcome text := f ->> 'decision_outcome';
    is_joint boolean := jsonb_array_length(coalesce(f -> 'joint_committees', '[]')) > 0;
begin
    if decided is not null then
        return query
            select m.measure, scopes, decided, m.key, m.value, date '-infinity'
            from (select 'decisions', array[outcome], 0
                union all select 'decisions.edition', array[outcome, f ->> 'guidance_edition'], 0
                union all select 'decisions.criterion', array[outcome, x.code], 0
                    from jsonb_array_elements_text(f -> 'criteria') x(code)
                union all select 'decisions#joint', '{}'::text[], 0 where is_joint
                union all select 'non_proceed_reasons', array[x.code], 0
                    from jsonb_array_elements_text(f -> 'decision_reasons') x(code)
                    where outcome in ('do_not_proceed', 'alternative_review')
                union all select 'non_proceed_reasons#', '{}', 0
                    where outcome in ('do_not_proceed', 'alternative_review')
                union all select 'days_to_decision', array[case (f ->> 'decision_on_time')::boolean
                    when true then 'on_time' when false then 'late' else 'no_due_day' end],
                    (f ->> 'days_to_decision')::integer
                union all select s.measure, s.key, 0
                    from jsonb_array_elements(f -> 'children') k(child), lateral (values
                        ('children', array[child ->> 'outcome']),
                        ('children.age_band', array[child ->> 'outcome', child ->> 'age_band']),
                        ('children.sex', array[child ->> 'outcome', child ->> 'sex']),
                        ('children.legal_status', array[child ->> 'outcome', child ->> 'legal_status']),
                        ('children.register_status', array[child ->> 'outcome', child ->> 'register_status']),
                        ('children.ethnic_group', array[child ->> 'outcome', child ->> 'ethnic_group']),
                        ('children.disability', array[child ->> 'outcome', child ->> 'disability'])
                    ) s(measure, key)
                union all select 'deaths_by_cause', array[coalesce(child ->> 'cause_of_death_group', 'not_recorded')], 0
                    from jsonb_array_elements(f -> 'children') k(child) where child ->> 'outcome' = 'died'
            ) m(measure, key, value);
    end if;
    if started is not null then
        return query
            select m.measure, scopes, started, m.key, 0, date '-infinity'
            from (values ('reviews_started', '{}'::text[]),
                ('reviews_started.review_type', array[null, f ->> 'review_type'])) m(measure, key)
            union all select 'reviews_started#joint', scopes, started, '{}', 0, '-infinity' where is_joint;
    end if;
    if ratified is not null then
        return query
            select m.measure, scopes, ratified, m.key, m.value, date '-infinity'
            from (select 'reviews_completed', '{}'::text[], 0
                union all select 'reviews_completed.review_type', array[null, f ->> 'review_type'], 0
                union all select 'reviews_completed#joint', '{}', 0 where is_joint
                union all select 'days_to_complete', array['gross'], (f ->> 'days_to_complete')::integer
                    where f ->> 'days_to_complete' is not null
                union all select 'days_to_complete', array['net'], (f ->> 'days_to_complete_net')::integer
                    where f ->> 'days_to_complete_net' is not null
                union all select d.measure, '{}', 0
                    from (values ('factors#'), ('themes#'), ('family_involvement#')) d(measure)
                union all select 'factors', array[x.code], 0
                    from jsonb_array_elements_text(f -> 'factors') x(code)
                union all select 'themes', array[x.code], 0
                    from (select jsonb_array_elements_text(f -> 'learning_themes')
                          union select jsonb_array_elements_text(f -> 'effective_themes')) x(code)
                union all select 'themes.finding_kind', array[x.code, 'learning_point'], 0
                    from jsonb_array_elements_text(f -> 'learning_themes') x(code)
                union all select 'themes.finding_kind', array[x.code, 'effective_practice'], 0
                    from jsonb_array_elements_text(f -> 'effective_themes') x(code)
                union all select 'family_involvement', array['family'], 0
                    where (f ->> 'family_took_part')::boolean
                union all select 'family_involvement', array['child'], 0
                    where (f ->> 'child_took_part')::boolean
                union all select 'publication', array[case when f ->> 'publication_form' is null then 'not_decided'
                    else f ->> 'publication_form' end], 0
                union all select 'publication#within', '{}', 0 where (f ->> 'published_in_six_months')::boolean
                union all select 'publication~', '{}', (f ->> 'days_to_publication')::integer
                    where f ->> 'days_to_publication' is not null
            ) m(measure, key, value);
    end if;
    -- A case counts once for each kind of proceedings, in the month in which its first hold of that kind began.
    return query
        with hold as (
            select coalesce(h ->> 'proceeding_kind', 'none') as kind, month_day(min(h ->> 'started_month')) as began,
                sum((h ->> 'days')::integer)::integer as days, bool_and(h ->> 'days' is not null) as lifted
            from jsonb_array_elements(f -> 'holds') x(h) group by 1)
        select 'holds', scopes, began, array[kind], 0, date '-infinity' from hold
        union all select 'holds~', scopes, began, array[kind], days, '-infinity' from hold where lifted
        union all select 'holds#', scopes, min(began), '{}', 0, '-infinity' from hold having count(*) > 0;
    return query
        select 'action_slippage', scopes, month_day(a ->> 'completed_month'), '{}'::text[],
            (a ->> 'slippage_days')::integer, date '-infinity'
        from jsonb_array_elements(f -> 'actions') x(a)
        where a ->> 'completed_month' is not null and action_is_done(a ->> 'status')
        union all
        -- Cases that were erased before the register kept this member do not have it.
        select 'action_lateness', scopes, month_day(a ->> 'completed_month'), '{}',
            (a ->> 'days_late')::integer, '-infinity'
        from jsonb_array_elements(f -> 'actions') x(a)
        where a ->> 'days_late' is not null and action_is_done(a ->> 'status');
end
$$;

-- Returns the scopes of a fact: all of Scotland ('*'), the deciding committee, and the joint committees.
create function statistic_scopes(home text, joint text[]) returns text[] language sql immutable as $$
    select array['*', home] || joint
$$;

-- Returns a fact, and one by breakdown if there is one, about something that was done in time or not. It counts from a
-- given day on: the day after it was due.
create function statistic_binary(measure text, scopes text[], month date, good boolean, grp text,
    breakdown text, from_day date, yes text, no text) returns setof statistic_fact language plpgsql immutable as $$
begin
    return next (measure, scopes, month, array[case when good then yes else no end], 0, from_day)::statistic_fact;
    if breakdown is not null then
        return next (measure || '.' || breakdown, scopes, month,
            array[case when good then yes else no end, grp], 0, from_day)::statistic_fact;
    end if;
end
$$;

-- Returns all facts of a live case; none for a case that was merged into another, where its parts count.
create function statistic_case_facts(c review_case) returns setof statistic_fact
language plpgsql stable as $$
declare
    f jsonb;
    scopes text[];
    ratified date;
begin
    if c.merged_into is not null then
        return;
    end if;
    f := anonymous_facts(c);
    scopes := statistic_scopes(f ->> 'deciding_committee', array(select jsonb_array_elements_text(f -> 'joint_committees')));
    return query select * from statistic_common_facts(f, scopes);
    return query
        select b.* from information_request i, lateral statistic_binary('info_return_on_time', scopes,
            first_of_month(i.due_on), coalesce(i.answered_on <= i.due_on, false),
            organisation_kind(i.organisation), 'organisation_kind', i.due_on + 1, 'on_time', 'late') b
        where i.case_id = any (case_with_merged(c.id)) and information_is_expected(i.status);
    return query
        select b.* from action a, lateral statistic_binary('actions_on_time', scopes, first_of_month(a.original_due_on),
            coalesce(a.completed_on <= a.original_due_on, false) and action_is_done(a.status),
            organisation_kind(a.owner_organisation), 'owner_kind', a.original_due_on + 1, 'on_time', 'late') b
        where a.case_id = any (case_with_merged(c.id)) and a.status <> 'superseded';
    return query
        select b.* from action a, lateral (select (a.verified_on + interval '1 year')::date) y(ended),
            lateral statistic_binary('impact_reviewed', scopes, first_of_month(y.ended),
                exists (select from impact_review i where i.action_id = a.id and i.reviewed_on <= y.ended),
                null, null, y.ended + 1, 'reviewed', 'not_reviewed') b
        where a.case_id = any (case_with_merged(c.id)) and a.verified_on is not null;
    select max(r.decided_on) into ratified from ratification r where r.case_id = c.id and r.outcome = 'ratified';
    if ratified is not null then
        return query select b.* from statistic_binary('notices_on_time', scopes, first_of_month(ratified),
            (f ->> 'outcome_notices_on_time')::boolean, null, null, ratified + 8, 'on_time', 'late') b;
    end if;
    -- Open items belong to the committee that has the case. Their value is a day, as a number.
    if c.stage <> 'closed' then
        return query
            select m.measure, array['*', c.committee], date '-infinity', array[c.stage], m.value, date '-infinity'
            from (values ('caseload', c.opened_on - date '1970-01-01'),
                ('caseload#due', case when isfinite(c.stage_due_or_never) then c.stage_due_or_never - date '1970-01-01' end),
                ('caseload#held', case when c.clock_stopped then 0 end)) m(measure, value)
            where m.value is not null;
    end if;
    return query
        select m.measure, array['*', c.committee], date '-infinity', m.key, a.due_on - date '1970-01-01', date '-infinity'
        from action a, lateral (
            select 'actions_open', '{}'::text[]
            union all select 'actions_open.owner_kind', array[null, organisation_kind(a.owner_organisation)]
            union all select 'actions_open.theme', array[null, theme] from unnest(a.themes) theme) m(measure, key)
        where a.case_id = any (case_with_merged(c.id)) and action_is_outstanding(a.status);
end
$$;

-- Returns all facts of an erased case and of its referrals, which were erased with it; none for a case that was closed
-- as merged.
create function statistic_anonymous_facts(r anonymous_review) returns setof statistic_fact
language plpgsql stable as $$
declare
    f jsonb := r.facts;
    home text := coalesce(f ->> 'deciding_committee', r.committee);
    scopes text[] := statistic_scopes(home,
        array(select jsonb_array_elements_text(coalesce(f -> 'joint_committees', '[]'))));
begin
    if f ->> 'closure' = 'merged' then
        return;
    end if;
    return query select * from statistic_common_facts(f, scopes);
    return query
        select b.* from jsonb_array_elements(f -> 'information_requests') x(i),
            lateral statistic_binary('info_return_on_time', scopes, month_day(i ->> 'due_month'),
                coalesce((i ->> 'on_time')::boolean, false), i ->> 'kind', 'organisation_kind', '-infinity',
                'on_time', 'late') b
        where information_is_expected(i ->> 'status');
    return query
        select b.* from jsonb_array_elements(f -> 'actions') x(a),
            lateral statistic_binary('actions_on_time', scopes, month_day(a ->> 'due_month'),
                coalesce((a ->> 'on_time')::boolean, false) and action_is_done(a ->> 'status'),
                a ->> 'owner_kind', 'owner_kind', '-infinity', 'on_time', 'late') b
        where a ->> 'status' <> 'superseded';
    return query
        select b.* from jsonb_array_elements(f -> 'actions') x(a),
            lateral statistic_binary('impact_reviewed', scopes, month_day(a ->> 'year_after_verification'),
                coalesce((a ->> 'impact_in_year')::boolean, false), null, null, '-infinity',
                'reviewed', 'not_reviewed') b
        where a ->> 'year_after_verification' is not null;
    if f ->> 'ratified_month' is not null then
        return query select b.* from statistic_binary('notices_on_time', scopes, month_day(f ->> 'ratified_month'),
            coalesce((f ->> 'outcome_notices_on_time')::boolean, (f ->> 'outcome_notice_days')::integer <= 7, false),
            null, null, '-infinity', 'on_time', 'late') b;
    end if;
    return query
        select r2.*
        from jsonb_array_elements(f -> 'referrals') x(j),
            lateral statistic_referral_facts(r.committee, j ->> 'transferred_from', j ->> 'source_kind',
                month_day(j ->> 'received_month'), 'accepted', null) r2;
end
$$;
