-- Inserting cases, their stages and children, and referrals into the register.

insert into review_case (id, committee, reference, local_authority, review_type, guidance_edition, criteria,
    summary, opened_on, stage, stage_entered_on, stage_due_on, original_due_on, earliest_referral_received_on,
    legal_hold, legal_hold_reason, closed_on, closure, merged_into, decision_outcome, created_at, updated_at, version)
select h.id, h.committee, h.reference, h.local_authority, h.review_type, pg_temp.edition(h.opened_on),
    k.criteria, case when pg_temp.share(h.key || 'summary') < 0.6
        then pg_temp.sentences(h.key || 'about', 'case') end,
    h.opened_on, h.stage, h.stage_entered_on, demo_due.due, demo_due.due,
    (select min(received_on) from demo_referral r join demo_head m on m.n = r.n where h.n in (m.n, m.into_n)),
    held.reason is not null, held.reason,
    case when h.stage = 'closed' then h.stage_entered_on end, h.closure,
    (select t.id from demo_head t where t.n = h.into_n), h.outcome,
    h.opened_at, greatest(h.opened_at, pg_temp.instant(h.key || 'moved', h.stage_entered_on)),
    (select count(*) from demo_visit v where v.n = h.n) + (h.transfer = 'accepted')::integer
from demo_head h join demo_criteria k using (key)
join demo_due on demo_due.n = h.n and demo_due.last
cross join lateral (select coalesce(h.legal_hold, (
    select case when c.cause = 'alleged_homicide' then 'criminal_proceedings'
        when c.outcome = 'died' then pg_temp.weighed(c.key || 'hold',
            'fatal_accident_inquiry:4 public_inquiry:2 civil_proceedings:2 other:1 none:91') end
    from demo_child c where c.n = h.n and c.place = 1)) as word) h2
cross join lateral (select nullif(h2.word, 'none') as reason) held
order by h.opened_on, h.n;

insert into case_counter (committee, year, last)
select origin, extract(year from opened_on), count(*) from demo_head group by 1, 2;

insert into case_stage (id, committee, case_id, sequence, stage, entered_on, amount, unit, original_due_on, due_on,
    left_on, reason, note, recorded_at, recorded_by, updated_at, version)
select pg_temp.id_of(h.key || ' stage ' || v.sequence, made), h.committee, h.id, v.sequence, v.stage,
    v.entered_on, v.amount, v.unit, v.due, v.due, v.left_on, r.reason,
    case r.reason when 'discontinued' then 'The questions are answered elsewhere.'
        when 'new_information' then 'An agency found further records.'
        when 'fai_determination' then 'The determination names learning for the services.' end,
    made, 'CPC-' || v.committee,
    coalesce(lead(made) over (partition by v.n order by v.sequence), made),
    1 + (v.left_on is not null)::integer
from (
    -- Moves on one day keep their order.
    select d.*, max(case d.sequence when 1 then h.opened_at
            else pg_temp.instant(h.key || 'moved' || d.sequence, d.entered_on) end) over before_this
        + make_interval(secs => d.sequence - 1) as made
    from demo_due d join demo_head h using (n)
    window before_this as (partition by d.n order by d.sequence)) v
join demo_head h using (n)
cross join lateral (select case
    when v.stage = 'closed' and v.turn = 1 and h.first_closure = 'discontinued' then 'discontinued'
    when v.before = 'closed' then h.again_reason
    when v.stage = 'reporting' and v.before = 'ratification' then 'changes_requested' end as reason) r
order by v.entered_on, v.n, v.sequence;

-- The National Hub has the data set of a child who died before the case is closed.
insert into child (id, committee, case_id, child_ref, family_ref, outcome, outcome_first_recorded, age_band,
    age_years, sex, ethnic_group, disability, legal_status, register_status, siblings_count_band, known_to,
    cause_of_death_group, harm_types, carm, national_hub_submitted_on, created_at, updated_at, version)
select pg_temp.id_of(c.child_key || holder.n, holder.at), holder.committee, holder.id, child_ref, family_ref, c.outcome,
    case when c.outcome = 'died' and pg_temp.share(child_key || 'later') < 0.08 then 'significant_harm'
        else c.outcome end,
    age_band, age_years, sex, ethnic_group, disability, legal_status, register_status, siblings_count_band,
    known_to, cause, harm_types, carm, hub.day, holder.at,
    coalesce(pg_temp.instant(c.child_key || 'hub', hub.day), holder.at), 1 + (hub.day is not null)::integer
from demo_child c
join demo_head h using (n)
cross join lateral (
    select h.n, h.committee, h.id, h.opened_at as at
    union all
    -- the other case has the children of a merged case too
    select t.n, t.committee, t.id, pg_temp.instant(h.key || 'merged', h.stage_entered_on)
    from demo_head t where t.n = h.into_n) holder
left join lateral (select * from demo_visit v where v.n = h.n and (v.stage = 'evaluation' and v.turn = 1
        or v.stage = 'decision' and v.next = 'closed') order by v.sequence limit 1) v on true
left join lateral (select pg_temp.between(c.child_key || 'hub', v.entered_on, v.until) as day
    where c.outcome = 'died' and (v.next = 'closed' or pg_temp.share(child_key || 'hub') < 0.4)) hub on true;

insert into referral (id, reference, source_organisation, source_system, source_reference, pushed_hash,
    source_role, committee, local_authority, notified_on, received_on, aware_on, incident_on, incident_kind,
    children, criteria_claimed, basis, immediate_concerns, passed_to_organisation, agencies_involved,
    parallel_processes, other_committees, transferred_from, discussed_with_partners, guidance_edition, status,
    acknowledged_on, decided_on, reason, note, case_id, case_reference, case_stage, case_decision,
    received_at, updated_at, version)
select made.id, format('RF-%s-%s-%s', extract(year from r.received_on), r.committee,
        upper(right(made.id::text, 10))),
    r.source_organisation, 'demo', format('D-%s-%s', extract(year from r.received_on),
        lpad((row_number() over (order by r.received_on, r.key))::text, 5, '0')),
    md5(r.key || 'content'),
    case when r.source_organisation like 'CPC-%' then 'cpc_member'
        else pg_temp.weighed(r.key || 'role', 'agency:80 practitioner:15 cpc_member:5') end,
    r.committee, r.local_authority, dates.notified_on, r.received_on, dates.aware_on,
    case when dates.kind = 'single_event' then dates.aware_on - pg_temp.whole(r.key || 'since', 0, 60) end,
    dates.kind, facts.children, k.criteria, pg_temp.sentences(r.key || 'basis', 'referral'),
    dates.concerns, case when dates.concerns = 'passed_on' then 'LA-' || r.local_authority end,
    pg_temp.several(r.key || 'agencies', 'local_authority_social_work:85 local_authority_education:55
        health_board:70 police:60 childrens_reporter:30 third_sector:25'),
    case when facts.died then pg_temp.several(r.key || 'beside', 'police_investigation:45
            death_investigation:70 child_death_review:40 criminal_prosecution:15 fatal_accident_inquiry:8')
        else pg_temp.several(r.key || 'beside', 'police_investigation:45 childrens_hearing:35
            criminal_prosecution:12 significant_adverse_event_review:10') end,
    case when h.review_type = 'joint' then array[h.partner] else '{}' end,
    case when r.waited is not null and pg_temp.share(r.key || 'elsewhere') < 0.12
        then pg_temp.other_committee(r.key || 'from', r.committee) end,
    pg_temp.share(r.key || 'discussed') < 0.55, pg_temp.edition(r.received_on), r.status,
    case when r.status in ('accepted', 'acknowledged', 'rejected') then greatest(r.received_on,
        pg_temp.weekday(least(r.received_on + pg_temp.whole(r.key || 'seen', 0, 4), r.decided_on, today())))
        end,
    r.decided_on,
    case r.status when 'rejected' then pg_temp.weighed(r.key || 'reason', 'not_this_area:20 duplicate:24
            insufficient_information:36 not_a_child:8 made_in_error:7 other:5')
        when 'withdrawn' then pg_temp.weighed(r.key || 'reason', 'made_in_error:35 duplicate:35
            no_longer_needed:25 other:5') end,
    null, c.id, c.reference, c.stage, c.decision_outcome, made.at,
    greatest(made.at, pg_temp.instant(r.key || 'moved', coalesce(r.decided_on, r.received_on))),
    case r.status when 'submitted' then 1 when 'acknowledged' then 2 when 'withdrawn' then 2 else 3 end
from demo_referral r
left join demo_head h using (n)
left join demo_head holder on holder.n = coalesce(h.into_n, h.n)
left join review_case c on c.id = holder.id
join demo_criteria k on k.key = coalesce(h.key, r.key)
cross join lateral (
    select pg_temp.id_of(r.key, pg_temp.instant(r.key, r.received_on)) as id,
        pg_temp.instant(r.key, r.received_on) as at) made
cross join lateral (
    select r.received_on - pg_temp.whole(r.key || 'sent', 0, 1) as notified_on,
        r.received_on - pg_temp.whole(r.key || 'aware', 1, 45) as aware_on,
        pg_temp.weighed(r.key || 'incident', 'single_event:64 accumulation:36') as kind,
        pg_temp.weighed(r.key || 'concerns', 'none:48 acted_on:38 passed_on:14') as concerns) dates
cross join lateral (
    select bool_or(d.outcome = 'died') as died, jsonb_agg(jsonb_build_object(
        'child_ref', d.child_ref, 'family_ref', d.family_ref, 'outcome', d.outcome,
        'age_band', d.age_band, 'age_years', d.age_years, 'sex', d.sex, 'ethnic_group', d.ethnic_group,
        'disability', d.disability, 'legal_status', d.legal_status,
        'register_status', d.register_status, 'siblings_count_band', d.siblings_count_band,
        'known_to', d.known_to, 'cause_of_death_group', d.cause, 'harm_types', d.harm_types,
        'carm', d.carm) order by d.place) as children
    from demo_child d where d.key = coalesce(h.key, r.key)) facts;
