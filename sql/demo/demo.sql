-- A demonstration set: invented cases of all committees in every stage, with children, referrals and actions.
-- Everything follows from a seed and from the day it is loaded, so that some of it is always recent.
-- Run with psql as a superuser; does nothing once there is a case. Nothing here is about a real child.
\set ON_ERROR_STOP on
begin;
set local search_path to register;
set local client_min_messages to warning;
select exists (select from review_case) as loaded \gset
\if :loaded
    \echo 'There are cases already: no demonstration data loaded.'
    rollback;
    \quit
\endif

-- A number from 0 up to (not including) 1 that belongs to the key.
create function pg_temp.share(key text) returns double precision language sql immutable as $$
    select ('x' || substr(md5('learning-reviews-2024 ' || key), 1, 8))::bit(32)::bigint / 4294967296.0
$$;

-- A whole number from `lowest` to `highest` that belongs to the key.
create function pg_temp.whole(key text, lowest integer, highest integer) returns integer
language sql immutable as $$
    select lowest + floor(pg_temp.share(key) * (highest - lowest + 1))::integer
$$;

-- One of 'word:weight word:weight ...'.
create function pg_temp.weighed(key text, choices text) returns text language sql immutable as $$
    select word from (
        select split_part(c, ':', 1) as word, n,
            sum(split_part(c, ':', 2)::integer) over (order by n) as reached,
            sum(split_part(c, ':', 2)::integer) over () as total
        from regexp_split_to_table(trim(choices), '\s+') with ordinality each(c, n)) w
    where reached > pg_temp.share(key) * total
    order by n limit 1
$$;

-- Those of 'word:percent word:percent ...' that come up, in their order.
create function pg_temp.several(key text, choices text) returns text[] language sql immutable as $$
    select coalesce(array_agg(split_part(c, ':', 1) order by n), '{}')
    from regexp_split_to_table(trim(choices), '\s+') with ordinality each(c, n)
    where pg_temp.share(key || c) * 100 < split_part(c, ':', 2)::integer
$$;

-- A time-ordered identifier that belongs to the key.
create function pg_temp.id_of(key text, made timestamptz) returns uuid language sql immutable as $$
    select (lpad(to_hex((extract(epoch from made) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(key), 1, 3) || '8' || substr(md5(key), 4, 15))::uuid
$$;

-- Some minute of the working day in Scotland; never later than now.
create function pg_temp.instant(key text, day date) returns timestamptz language sql stable as $$
    select least(now(), (day + make_interval(hours => pg_temp.whole(key || 'h', 8, 16),
        mins => pg_temp.whole(key || 'm', 0, 59),
        secs => pg_temp.whole(key || 's', 0, 59))) at time zone 'Europe/London')
$$;

-- The day itself, or the Friday before a weekend. Keeps the order of days.
create function pg_temp.weekday(day date) returns date language sql immutable as $$
    select day - greatest(extract(isodow from day)::integer - 5, 0)
$$;

create function pg_temp.edition(day date) returns text language sql immutable as $$
    select case when day < '2021-09-01' then 'scr_2015' when day < '2024-10-01' then 'child_2021'
        else 'child_2024' end
$$;

-- Two or three neutral sentences: `pool` is about a case or about a referral.
create function pg_temp.sentences(key text, pool text) returns text language sql immutable as $$
    select string_agg(sentence, ' ' order by n) from (
        select sentence, n from (values
            ('case', 1, 'Several services worked with the family over a longer time.'),
            ('case', 2, 'The services held different parts of the picture.'),
            ('case', 3, 'Concerns were recorded but not brought together.'),
            ('case', 4, 'Contact with the family was difficult to keep up.'),
            ('case', 5, 'Changes of worker made continuity hard.'),
            ('case', 6, 'The plan was reviewed later than intended.'),
            ('case', 7, 'Adult services and children''s services knew the family separately.'),
            ('case', 8, 'Practitioners described careful and persistent work.'),
            ('referral', 1, 'The agencies involved see learning for how they work together.'),
            ('referral', 2, 'Information was held in several places and was brought together late.'),
            ('referral', 3, 'Earlier concerns were below the threshold of a single service.'),
            ('referral', 4, 'The circumstances were discussed at a multi-agency meeting.'),
            ('referral', 5, 'The planning for the child changed several times.'),
            ('referral', 6, 'There is learning about the support for the family.'),
            ('referral', 7, 'Good practice was seen that others may learn from.')
        ) text_pool(name, n, sentence)
        where name = pool
        order by pg_temp.share(key || n) limit 2 + pg_temp.whole(key, 0, 1)) chosen
$$;

-- ---- Cases: where each stands, by which way it came, and when it entered each stage.

create temporary table demo_weight on commit drop as
select code as committee, sum(weight) over (order by code) as reached, sum(weight) over () as total
from (select code, case
        when code = 'GLA' then 42 when code = 'EDH' then 26 when code in ('FIF', 'NLK', 'SLK') then 22
        when code in ('ABE', 'ABD', 'HLD', 'DND', 'WLN', 'REN') then 14
        when code in ('ORK', 'SHE', 'OHB') then 2 else 8 end as weight
    from committee) weights;

-- Each committee has a case in any event; the others fall by size (multiples of the golden ratio, modulo 1, are
-- spread evenly).
create temporary table demo_case on commit drop as
select n, 'case ' || n as key, coalesce(
        (select code from (select code, row_number() over (order by code) as row from committee) c
         where c.row = n),
        (select w.committee from demo_weight w
         where w.reached > mod(n * 0.6180339887, 1) * w.total order by w.reached limit 1)) as committee,
    pg_temp.weighed('stage' || n, 'notification:20 information_gathering:26 recommendation:16 decision:26
        set_up:18 review:40 reporting:22 ratification:13 implementation:46 evaluation:26 closed:250') as stage,
    pg_temp.weighed('closure' || n,
        'completed:40 did_not_proceed:38 alternative_completed:14 discontinued:8') as closure,
    pg_temp.share('alternative' || n) < 0.2 as alternative,
    pg_temp.share('more' || n) < 0.07 as asked_twice,
    pg_temp.share('changes' || n) < 0.12 as report_changed,
    pg_temp.weighed('type' || n, 'single:72 sibling_group:20 thematic:4 joint:4') as review_type
from generate_series(1, 480) n;

create function pg_temp.way_of(c demo_case) returns text[] language sql immutable as $$
    with parts as (select
        array['notification', 'information_gathering', 'recommendation', 'decision']
            || case when c.asked_twice and c.stage not in ('notification', 'recommendation', 'decision')
                then array['information_gathering', 'recommendation', 'decision'] else '{}' end as before,
        array['set_up', 'review', 'reporting', 'ratification']
            || case when c.report_changed then array['reporting', 'ratification'] else '{}' end
            || array['implementation', 'evaluation'] as after)
    select case
        when c.stage = 'information_gathering' and c.asked_twice then before[1:5]
        when c.stage in ('notification', 'information_gathering', 'recommendation', 'decision') then
            before[1:array_position(before, c.stage)]
        when c.stage = 'review' and c.alternative then before || text 'review'
        when c.stage <> 'closed' then after_up_to.way
        when c.closure = 'completed' then before || after || text 'closed'
        when c.closure = 'did_not_proceed' then before || text 'closed'
        when c.closure = 'alternative_completed' then before || text 'review' || text 'closed'
        else (before[1:4] || after)[1:w.stopped] || text 'closed' end
    from parts,
        lateral (select before || after[1:array_position(after, c.stage)]) after_up_to(way),
        -- discontinued in notification, gathering, recommendation, set_up, reporting or ratification
        lateral (select (array[1, 2, 2, 3, 5, 7, 8])[pg_temp.whole('stopped' || c.n, 1, 7)]) w(stopped)
$$;

-- How many days a stage took, and how many days a case has been in the stage that it is in now.
create temporary table demo_stage on commit drop as
with usual(stage, lowest, highest, now_highest) as (values
    ('notification', 1, 8, 10), ('information_gathering', 7, 30, 22), ('recommendation', 4, 24, 18),
    ('decision', 2, 24, 20), ('set_up', 10, 48, 36), ('review', 70, 210, 150), ('reporting', 30, 100, 75),
    ('ratification', 9, 50, 40), ('implementation', 150, 480, 420), ('evaluation', 90, 400, 430),
    ('closed', 0, 0, 0)),
step as materialized (
    select c.n, s.sequence, s.stage,
        s.sequence = cardinality(way) as last,
        case when s.sequence < cardinality(way) then pg_temp.whole('took' || c.n || '.' || s.sequence, lowest,
                highest)
            else pg_temp.whole('since' || c.n, 0, now_highest) end as days
    from demo_case c
    cross join lateral pg_temp.way_of(c) way
    cross join unnest(way) with ordinality s(stage, sequence)
    join usual u on u.stage = s.stage),
final as materialized (
    select n, case when max(stage) filter (where last) = 'closed'
            then date '2015-02-02' + sum(days)::integer
                + floor(power(pg_temp.share('ended' || n), 0.8)
                    * (today() - date '2015-02-02' - sum(days)))::integer
            else today() - max(days) filter (where last) end as entered
    from step group by n)
select step.n, step.sequence::integer, step.stage, step.last,
    pg_temp.weekday(final.entered - coalesce(sum(days) filter (where not step.last) over later, 0)::integer)
        as entered_on
from step join final using (n)
window later as (partition by step.n order by step.sequence rows between current row and unbounded following);

create temporary table demo_head on commit drop as
select c.*, o.opened_on, l.entered_on as stage_entered_on, d.outcome, d.entered_on as decision_from,
    d.left_on as decision_to, h.entered_on as plan_from, area.code as local_authority,
    pg_temp.id_of(key, pg_temp.instant(key, o.opened_on)) as id, pg_temp.instant(key, o.opened_on) as opened_at,
    format('LR-%s-%s-%s', extract(year from o.opened_on), c.committee, lpad(row_number() over (
        partition by c.committee, extract(year from o.opened_on) order by o.opened_on, c.n)::text, 4, '0'))
        as reference,
    'CPC-' || c.committee as organisation
from demo_case c
join lateral (select entered_on as opened_on from demo_stage s where s.n = c.n and sequence = 1) o on true
join lateral (select entered_on, sequence from demo_stage s where s.n = c.n and last) l on true
left join lateral (
    select s.entered_on, coalesce(next.entered_on, today()) as left_on,
        case next.stage when 'set_up' then 'proceed' when 'review' then 'alternative_review'
            when 'closed' then 'do_not_proceed' when 'information_gathering' then 'more_information'
            else pg_temp.weighed('outcome' || c.n, 'undecided:44 proceed:22 do_not_proceed:14
                alternative_review:9 more_information:11') end as outcome
    from demo_stage s left join demo_stage next on next.n = s.n and next.sequence = s.sequence + 1
    where s.n = c.n and s.stage = 'decision'
    order by s.sequence desc limit 1) d on true
left join lateral (
    select min(s.entered_on) as entered_on from demo_stage s
    where s.n = c.n and s.stage in ('reporting', 'implementation')) h on true
cross join lateral (
    select code from local_authority a where a.committee = c.committee
    order by pg_temp.share('area' || c.n || a.code) limit 1) area;

-- ---- Referrals: those of the cases, and those that became no case.

create temporary table demo_referral on commit drop as
with of_case as materialized (
    select 'referral ' || h.n || '.' || r as key, h.n, h.committee, h.local_authority,
        'accepted' as status, pg_temp.weekday(least(today(), h.stage_entered_on, h.opened_on + case r
            when 1 then 0 else pg_temp.whole('late' || h.n || r, 0, 20) end)) as decided_on,
        null::integer as waited
    from demo_head h
    cross join generate_series(1, pg_temp.weighed('referrals' || h.n, '1:84 2:13 3:3')::integer) r),
alone as materialized (
    select 'referral alone ' || a as key, null::integer as n, w.committee, area.code as local_authority,
        case when a <= 34 then 'submitted' when a <= 66 then 'acknowledged' when a <= 116 then 'rejected'
            else 'withdrawn' end as status,
        case when a > 66 then pg_temp.weekday(today()
            - pg_temp.whole('alone' || a, 3, 3600)) end as decided_on,
        pg_temp.whole('waits' || a, 0, case when a <= 34 then 9 else 25 end) as waited
    from generate_series(1, 140) a
    cross join lateral (
        select committee from demo_weight
        where reached > case when a % 8 = 0 then (select reached - 1 from demo_weight where committee = 'GLA')
            else pg_temp.share('alone in' || a) * total end
        order by reached limit 1) w
    cross join lateral (
        select code from local_authority l where l.committee = w.committee
        order by pg_temp.share('alone area' || a || l.code) limit 1) area),
dated as materialized (
    select r.*, pg_temp.weekday(coalesce(decided_on - pg_temp.whole(key || 'd', 1, 8), today() - waited))
        as received_on
    from (select * from of_case union all select * from alone) r)
select dated.*, case pg_temp.weighed(key || 'from',
        'police:34 local_authority:36 health_board:20 reporter:4 third_sector:3 committee:3')
        when 'police' then 'POL-' || c.police_division when 'local_authority' then 'LA-' || local_authority
        when 'health_board' then 'HB-' || c.health_board when 'reporter' then 'SCRA'
        when 'third_sector' then 'TS-OTHER' else 'CPC-' || c.code end as source_organisation
from dated join committee c on c.code = dated.committee;

-- ---- Children: of the cases, and of the referrals that became none.

create temporary table demo_child on commit drop as
with subject as materialized (
    select 'case' as kind, key, n, committee, outcome as decided, pg_temp.weighed(key || 'children', case
            when review_type = 'single' then '1:1' when review_type = 'joint' then '1:7 2:3'
            else '2:5 3:3 4:2' end)::integer as children
    from demo_head
    union all
    select 'referral', key, null, committee, null, pg_temp.weighed(key || 'children', '1:75 2:17 3:8')::integer
    from demo_referral where n is null),
outcome as materialized (
    select subject.*, k as place, key || ' child ' || k as child_key,
        case when pg_temp.share(key || 'good') < 0.03 then 'none'
            when k = 1 then pg_temp.weighed(key || 'outcome', 'died:37 significant_harm:53
                risk_of_significant_harm:10')
            else pg_temp.weighed(key || 'outcome' || k, 'died:4 significant_harm:60
                risk_of_significant_harm:36') end as outcome
    from subject cross join generate_series(1, children) k),
cause as materialized (
    select outcome.*, case when outcome = 'died' then pg_temp.weighed(child_key || 'cause', 'suicide:26
        drug_related:22 alleged_homicide:11 neglect_or_abuse:7 accident:9 medical:6 sudi:11 unascertained:5
        awaiting:3') end as cause
    from outcome),
age as materialized (
    select cause.*, pg_temp.weighed(child_key || 'age', case
            when cause = 'sudi' then 'under_1:1'
            when cause in ('suicide', 'drug_related') then '11_15:30 16_17:50 18_25:20'
            when outcome = 'died' then 'under_1:36 1_4:30 5_10:14 11_15:12 16_17:8'
            else 'unborn:2 under_1:16 1_4:26 5_10:27 11_15:19 16_17:10' end) as age_band
    from cause),
life as materialized (
    select age.*, pg_temp.weighed(child_key || 'legal', case age_band
            when '18_25' then 'continuing_care:45 aftercare:55'
            when 'unborn' then 'none:1'
            else 'none:47 looked_after_home:12 looked_after_kinship:9 looked_after_foster:8
                looked_after_residential:6 secure:2 compulsory_supervision_order:7
                child_protection_order:4 throughcare_other:1 unknown:4' end) as legal_status,
        pg_temp.weighed(child_key || 'register', case age_band
            when '18_25' then 'never:60 previous:35 unknown:5'
            when 'unborn' then 'pre_birth:60 never:40'
            else 'never:43 current:24 previous:18 sibling_only:8 pre_birth:3 unknown:4' end)
            as register_status,
        case when outcome = 'none' then '{}' else pg_temp.several(child_key || 'harm', case
            when age_band in ('11_15', '16_17', '18_25') then 'physical_abuse:15 emotional_abuse:20
                sexual_abuse:12 neglect:28 sexual_exploitation:8 criminal_exploitation:8 online_harm:7
                self_harm:28 drug_or_alcohol_related:30'
            else 'physical_abuse:30 emotional_abuse:30 sexual_abuse:7 neglect:58 other:4' end) end
            as harm_types,
        age_band in ('11_15', '16_17') and pg_temp.share(child_key || 'carm') < 0.1 as carm
    from age)
select life.*, md5(child_key || ' ref') as child_ref,
    md5(key || ' family' || case when pg_temp.share(child_key || 'apart') < 0.1 then place else 1 end)
        as family_ref,
    case when pg_temp.share(child_key || 'years known') < 0.85 then case age_band
        when 'under_1' then 0 when '1_4' then pg_temp.whole(child_key || 'y', 1, 4)
        when '5_10' then pg_temp.whole(child_key || 'y', 5, 10)
        when '11_15' then pg_temp.whole(child_key || 'y', 11, 15)
        when '16_17' then pg_temp.whole(child_key || 'y', 16, 17)
        when '18_25' then pg_temp.whole(child_key || 'y', 18, 25) end end as age_years,
    pg_temp.weighed(child_key || 'sex', case age_band when 'unborn' then 'unknown:1'
        else 'female:46 male:52 other:1 unknown:1' end) as sex,
    pg_temp.weighed(child_key || 'ethnic', 'white_scottish_british_irish:82 white_other:5
        mixed_or_multiple:3 asian:4 african:2 caribbean_or_black:1 other:1 unknown:2') as ethnic_group,
    pg_temp.weighed(child_key || 'disability', 'no:68 yes:17 unknown:15') as disability,
    nullif(pg_temp.weighed(child_key || 'siblings', '0:20 1_2:45 3_plus:25 unknown:10'), 'unknown')
        as siblings_count_band,
    pg_temp.several(child_key || 'known', case when age_band in ('unborn', 'under_1', '1_4')
        then 'local_authority_social_work:75 health_board:85 gp_or_independent_contractor:50 police:40
            childrens_reporter:30 third_sector:25 local_authority_housing:15'
        else 'local_authority_social_work:80 local_authority_education:85 health_board:55 police:50
            childrens_reporter:40 third_sector:30 gp_or_independent_contractor:35
            local_authority_housing:10' end) as known_to
from life;

-- The criteria that the facts of the children support.
create temporary table demo_criteria on commit drop as
select key, array(select code from criterion where code = any (found) order by code) as criteria
from (
    select key, array_remove(array_agg(c), null) || case when bool_and(c is null)
            then array['abuse_or_neglect'] else '{}' end as found
    from demo_child
    cross join lateral unnest(array[
        case when harm_types && '{physical_abuse,emotional_abuse,sexual_abuse,neglect}'
            or cause = 'neglect_or_abuse' then 'abuse_or_neglect' end,
        case when register_status in ('current', 'previous', 'sibling_only', 'pre_birth')
            then 'child_protection_register' end,
        case when legal_status not in ('none', 'unknown', 'child_protection_order') then 'care_experienced' end,
        case when cause = 'suicide' then 'suicide' end,
        case when cause = 'alleged_homicide' then pg_temp.weighed(child_key || 'homicide',
            'alleged_murder:60 culpable_homicide:20 act_of_violence:20') end,
        case when cause = 'accident' and pg_temp.share(child_key || 'reckless') < 0.4
            then 'reckless_conduct' end,
        case when carm then pg_temp.weighed(child_key || 'carm harm',
            'carm_harm_to_other:60 carm_harm_to_self:40') end,
        case when outcome = 'none' then 'effective_practice' end]) c
    group by key) derived;

-- ---- Into the register.

insert into review_case (id, committee, reference, local_authority, review_type, guidance_edition, criteria,
    summary, opened_on, stage, stage_entered_on, stage_due_on, original_due_on, earliest_referral_received_on, legal_hold,
    closed_on, closure, decision_outcome, created_at, updated_at, version)
select h.id, h.committee, h.reference, h.local_authority, h.review_type, pg_temp.edition(h.opened_on),
    k.criteria, case when pg_temp.share(h.key || 'summary') < 0.6
        then pg_temp.sentences(h.key || 'about', 'case') end,
    h.opened_on, h.stage, h.stage_entered_on, due, due,
    (select min(received_on) from demo_referral r where r.n = h.n),
    exists (select from demo_child c where c.n = h.n
        and (c.cause = 'alleged_homicide' or c.outcome = 'died' and pg_temp.share(c.key || 'hold') < 0.08)),
    case when h.stage = 'closed' then h.stage_entered_on end,
    case when h.stage = 'closed' then h.closure end,
    case when h.outcome <> 'undecided'
        and not (h.outcome = 'more_information' and h.stage <> 'decision')
        and not (h.closure = 'discontinued' and h.stage = 'closed' and h.outcome <> 'proceed')
        then h.outcome end,
    h.opened_at, greatest(h.opened_at, pg_temp.instant(h.key || 'moved', h.stage_entered_on)),
    (select count(*) from demo_stage s where s.n = h.n)
from demo_head h join demo_criteria k using (key)
cross join stage_due(h.stage, h.committee, h.stage_entered_on) due;

insert into case_counter (committee, year, last)
select committee, extract(year from opened_on), count(*) from review_case group by 1, 2;

insert into case_stage (id, committee, case_id, sequence, stage, entered_on, amount, unit, original_due_on, due_on, left_on, reason,
    recorded_at, recorded_by)
select pg_temp.id_of(h.key || ' stage ' || s.sequence, made), h.committee, h.id, s.sequence, s.stage,
    s.entered_on, t.amount, t.unit, due, due, next.entered_on,
    case when s.stage = 'closed' and h.closure = 'discontinued' then 'discontinued'
        when s.stage = 'reporting' and before.stage = 'ratification' then 'changes_requested'
        when s.stage = 'information_gathering' and before.stage = 'decision' then 'more_information' end,
    made, h.organisation
from demo_stage s
join demo_head h using (n)
left join demo_stage next on next.n = s.n and next.sequence = s.sequence + 1
left join demo_stage before on before.n = s.n and before.sequence = s.sequence - 1
left join lateral stage_timescale(s.stage, h.committee, s.entered_on) t on true
cross join lateral due_date(s.entered_on, t.amount, t.unit, h.committee) due
cross join lateral (select case s.sequence when 1 then h.opened_at
    else greatest(h.opened_at, pg_temp.instant(h.key || 'moved', s.entered_on)) end as made) m;

insert into child (id, committee, case_id, child_ref, family_ref, outcome, outcome_first_recorded, age_band,
    age_years, sex, ethnic_group, disability, legal_status, register_status, siblings_count_band, known_to,
    cause_of_death_group, harm_types, carm, national_hub_submitted_on, created_at, updated_at)
select pg_temp.id_of(c.child_key, h.opened_at), h.committee, h.id, child_ref, family_ref, c.outcome,
    case when c.outcome = 'died' and pg_temp.share(child_key || 'later') < 0.08 then 'significant_harm'
        else c.outcome end,
    age_band, age_years, sex, ethnic_group, disability, legal_status, register_status, siblings_count_band,
    known_to, cause, harm_types, carm,
    case when c.outcome = 'died' and h.stage in ('evaluation', 'closed')
        and pg_temp.share(child_key || 'hub') < 0.7 then h.stage_entered_on end,
    h.opened_at, h.opened_at
from demo_child c join demo_head h using (n);

insert into case_decision (id, visit, case_id, committee, outcome, decided_on, reasons, alternative_kind, criteria_met,
    decided_by, unanimous, note, recorded_at, updated_at)
select pg_temp.id_of(h.key || 'decision', made), (select max(s.sequence) from case_stage s
        where s.case_id = h.id and s.stage = 'decision'), h.id, h.committee, h.outcome, decided_on,
    case h.outcome when 'proceed' then '{}'
        when 'more_information' then array['insufficient_information']
        when 'alternative_review' then array[pg_temp.weighed(h.key || 'why',
            'better_met_by_other_review:50 single_agency_matter:25 learning_already_identified:25')]
        else array[pg_temp.weighed(h.key || 'why', 'criteria_not_met:42 no_additional_learning:30
            learning_already_identified:16 single_agency_matter:8 other:4')] end,
    case when h.outcome = 'alternative_review' then pg_temp.weighed(h.key || 'kind',
        'single_agency_review:24 multi_agency_reflective_session:40 significant_adverse_event_review:14
        child_death_review:8 case_file_audit:10 other:4') end,
    case when h.outcome = 'proceed' then k.criteria when h.outcome = 'alternative_review' then k.criteria[1:1]
        else '{}' end,
    pg_temp.weighed(h.key || 'by', 'committee:86 chair_delegated:14'),
    case pg_temp.weighed(h.key || 'unanimous', 'yes:84 no:9 unknown:7') when 'yes' then true
        when 'no' then false end,
    case when pg_temp.share(h.key || 'note') < 0.2
        then 'The agencies concerned were told of the decision and of its reasons.' end,
    made, made
from demo_head h
join demo_criteria k using (key)
cross join lateral (select greatest(h.decision_from, pg_temp.weekday(h.decision_from
    + pg_temp.whole(h.key || 'decided', 0, h.decision_to - h.decision_from))) as decided_on) d
cross join lateral (select greatest(h.opened_at, pg_temp.instant(h.key || 'decided', decided_on)) as made) m
where h.outcome <> 'undecided'
    and not (h.closure = 'discontinued' and h.stage = 'closed' and h.outcome <> 'proceed');

insert into referral (id, reference, source_organisation, source_system, source_reference, pushed_hash,
    source_role, committee, local_authority, notified_on, received_on, aware_on, incident_on, incident_kind,
    children, criteria_claimed, basis, immediate_concerns, passed_to_organisation, agencies_involved,
    parallel_processes, other_committees, discussed_with_partners, guidance_edition, status,
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
    '{}', pg_temp.share(r.key || 'discussed') < 0.55, pg_temp.edition(r.received_on), r.status,
    case when r.status in ('accepted', 'acknowledged', 'rejected') then greatest(r.received_on,
        pg_temp.weekday(least(r.received_on + pg_temp.whole(r.key || 'seen', 0, 4), r.decided_on, today())))
        end,
    r.decided_on,
    case r.status when 'rejected' then pg_temp.weighed(r.key || 'reason', 'not_this_area:20 duplicate:24
            insufficient_information:36 not_a_child:8 made_in_error:7 other:5')
        when 'withdrawn' then pg_temp.weighed(r.key || 'reason', 'made_in_error:35 duplicate:35
            no_longer_needed:25 other:5') end,
    null, h.id, h.reference, h.stage, c.decision_outcome, made.at,
    greatest(made.at, pg_temp.instant(r.key || 'moved', coalesce(r.decided_on, r.received_on))),
    case r.status when 'submitted' then 1 when 'acknowledged' then 2 when 'withdrawn' then 2 else 3 end
from demo_referral r
left join demo_head h using (n)
left join review_case c on c.id = h.id
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

-- ---- Actions and the reports on them.

create temporary table demo_action on commit drop as
with pool(n, title, theme, measure) as (values
    (1, 'Agree how chronologies are shared between services', 'information_sharing',
        'A sample of records shows shared chronologies in nine of ten.'),
    (2, 'Bring the practice note on sharing information up to date', 'information_sharing',
        'Every team has confirmed that it works with the new note.'),
    (3, 'Hold joint training on analysing risk', 'assessment_and_risk_analysis',
        'Four in five practitioners have taken part.'),
    (4, 'Audit assessments for analysis of risk', 'assessment_and_risk_analysis',
        'The second audit shows improvement on the first.'),
    (5, 'Clarify the role of the lead professional', 'named_person_and_lead_professional',
        'Each plan in a sample names the lead professional.'),
    (6, 'Review the thresholds used when concerns come together', 'thresholds',
        'The thresholds are agreed by all partners and in use.'),
    (7, 'Introduce one tool for recognising neglect', 'neglect_recognition',
        'The tool is used in each new assessment of neglect.'),
    (8, 'Set up a forum for long-standing neglect', 'neglect_recognition',
        'The forum meets monthly and reports twice a year.'),
    (9, 'Set dates for the review of each child''s plan', 'planning_and_review',
        'No plan is older than six months without a review.'),
    (10, 'Improve the quality of chronologies', 'chronology_and_record_keeping',
        'An audit finds chronologies that are complete and current.'),
    (11, 'Record the views of the child in every plan', 'child_voice',
        'A sample shows the child''s views in each plan.'),
    (12, 'Include fathers and other men of the household in assessments', 'fathers_and_males',
        'A sample shows that they were asked and recorded.'),
    (13, 'Support practitioners who meet resistance', 'resistance_and_disguised_compliance',
        'Supervision notes show that it is discussed.'),
    (14, 'Plan the change from children''s to adults'' services earlier', 'transitions',
        'A plan is in place six months before the change.'),
    (15, 'Strengthen supervision in complex situations', 'supervision_and_oversight',
        'Supervision takes place monthly and is recorded.'),
    (16, 'Review how legal measures are considered', 'legal_measures',
        'Legal advice is recorded in each case that needs it.'),
    (17, 'Consider capacity at the interface of the services', 'workforce_and_resources',
        'The chief officers have a report with options.'),
    (18, 'Link adult services to planning for children', 'adult_services_and_family',
        'Adult services take part in each planning meeting that concerns them.'),
    (19, 'Give schools a clear route for rising concerns', 'practice_in_schools',
        'Every school knows and uses the route.'),
    (20, 'Share the learning in briefings for all teams', 'information_sharing',
        'Each team has had its briefing.')),
wanted as materialized (
    select h.*, c.decision_outcome, case
            when h.stage = 'closed' and h.closure = 'discontinued' then
                case when h.plan_from is null then 0 else pg_temp.whole(h.key || 'actions', 0, 2) end
            when h.stage = 'closed' and h.closure = 'alternative_completed' then
                pg_temp.whole(h.key || 'actions', 0, 3)
            when h.stage in ('evaluation', 'closed') and h.outcome = 'proceed' then
                case when pg_temp.share(h.key || 'no action') < 0.1 then 0
                    else pg_temp.whole(h.key || 'actions', 2, 6) end
            when h.stage = 'implementation' then pg_temp.whole(h.key || 'actions', 2, 7)
            when h.stage in ('reporting', 'ratification') then pg_temp.whole(h.key || 'actions', 1, 4)
            when h.stage in ('set_up', 'review') then pg_temp.whole(h.key || 'actions', 0, 2)
            else 0 end as actions
    from demo_head h join review_case c on c.id = h.id),
made as materialized (
    select w.n as case_n, w.id as case_id, w.committee, w.reference, w.stage, w.closure, w.local_authority,
        w.key || ' action ' || a as key, pool.*,
        -- when the action was made, and the day by which it had ended if it has
        pg_temp.weekday(case when w.plan_from is not null then w.plan_from else w.decision_to end) as made_on,
        case w.stage when 'evaluation' then w.stage_entered_on when 'closed' then
            coalesce((select entered_on from demo_stage s where s.n = w.n and s.stage = 'evaluation'),
                w.stage_entered_on)
            else today() end as ended_by
    from wanted w
    cross join generate_series(1, w.actions) a
    join lateral (select p.* from pool p order by pg_temp.share(w.key || 'title' || p.n) offset a - 1 limit 1)
        pool on true),
stated as materialized (
    select made.*, (ended_by - made_on) as room, case
            when stage = 'closed' and closure = 'discontinued' then 'superseded'
            when stage in ('evaluation', 'closed') then
                pg_temp.weighed(key || 'status', 'verified:84 not_achieved:9 superseded:7')
            when stage = 'implementation' and ended_by - made_on > 60 then
                pg_temp.weighed(key || 'status', 'proposed:3 agreed:20 in_progress:40 completed:14 verified:14
                    not_achieved:5 superseded:4')
            when stage = 'implementation' then pg_temp.weighed(key || 'status', 'agreed:60 in_progress:40')
            else pg_temp.weighed(key || 'status', 'proposed:60 agreed:30 in_progress:10') end as status
    from made),
ended as materialized (
    select stated.*,
        case when status in ('completed', 'verified') then
            made_on + least(room, greatest(1, (room * (0.35 + 0.55 * pg_temp.share(key || 'done')))::integer))
            end as completed_on,
        pg_temp.weighed(key || 'slips', 'no:68 yes:32') = 'yes' as slipped
    from stated),
due as materialized (
    select ended.*, greatest(made_on + 14, case
            when completed_on is not null then completed_on + pg_temp.whole(key || 'late', -40, 60)
            when status in ('not_achieved', 'superseded') then made_on + pg_temp.whole(key || 'due', 60, 300)
            when stage = 'implementation' then today() + pg_temp.whole(key || 'due', -110, 240)
            else today() + pg_temp.whole(key || 'due', -20, 300) end) as due_on
    from ended)
select due.*, case when slipped and status <> 'proposed' then greatest(made_on + 7,
        due_on - 30 * pg_temp.whole(key || 'by', 1, 6)) else due_on end as original_due_on,
    case status when 'verified' then least(ended_by, completed_on + pg_temp.whole(key || 'verified', 3, 45)) end
        as verified_on,
    case status when 'completed' then 100 when 'verified' then 100
        when 'in_progress' then pg_temp.whole(key || 'progress', 1, 18) * 5
        when 'not_achieved' then pg_temp.whole(key || 'progress', 0, 12) * 5 else 0 end as progress,
    case pg_temp.weighed(key || 'owner', 'authority:42 health:20 police:12 committee:18 reporter:4 third:4')
        when 'authority' then 'LA-' || local_authority
        when 'health' then 'HB-' || (select health_board from committee c where c.code = due.committee)
        when 'police' then 'POL-' || (select police_division from committee c where c.code = due.committee)
        when 'reporter' then 'SCRA' when 'third' then 'TS-OTHER' else 'CPC-' || committee end as owner,
    pg_temp.id_of(key, pg_temp.instant(key, made_on)) as id, pg_temp.instant(key, made_on) as made_at
from due;

create temporary table demo_report on commit drop as
select a.id as action_id, a.key, a.owner, r, r = reports as last, a.made_at,
    a.made_on + greatest(1, ((coalesce(a.completed_on, today()) - a.made_on) * r / (reports + 1.0))::integer)
        as reported_on,
    case when a.progress = 0 then 0 else 5 * round(a.progress * r / reports / 5.0)::integer end as progress
from demo_action a
cross join lateral (select case a.status when 'in_progress' then pg_temp.whole(a.key || 'reports', 1, 4)
    when 'completed' then pg_temp.whole(a.key || 'reports', 1, 3)
    when 'verified' then pg_temp.whole(a.key || 'reports', 1, 4)
    when 'not_achieved' then pg_temp.whole(a.key || 'reports', 0, 2) else 0 end as reports) n
cross join generate_series(1, reports) r
where a.room > 4;

insert into action (id, committee, case_id, case_reference, title, themes, owner_organisation, status, due_on,
    original_due_on, success_measure, priority, scope, resource_issue, progress, completed_on, completed_by,
    evidence, verified_on, reason, created_at, updated_at, version)
select id, committee, case_id, reference, title, array[theme] || case when pg_temp.share(key || 'theme') < 0.25
        and theme <> 'workforce_and_resources' then array['workforce_and_resources'] else '{}' end,
    owner, status, due_on, original_due_on, measure,
    pg_temp.weighed(key || 'priority', 'low:16 medium:56 high:28'),
    pg_temp.weighed(key || 'scope', 'local:92 national:8'),
    pg_temp.weighed(key || 'resource', 'none:84 raised_with_cog:8 agreed:6 refused:2'),
    progress, completed_on, case when completed_on is not null then 'demo' end,
    case when completed_on is not null then
        (array['The audit was carried out and its result reported to the committee.',
            'The new paper was agreed by all partners and published to staff.',
            'The figures of two quarters show that the measure was reached.'])[
            pg_temp.whole(key || 'evidence', 1, 3)] end,
    verified_on,
    case status when 'not_achieved' then 'The measure could not be reached with the means at hand.'
        when 'superseded' then 'Taken up in another programme of the partners.' end,
    made_at, greatest(made_at, pg_temp.instant(key || 'changed', coalesce(verified_on, completed_on, (
        select max(reported_on) from demo_report r where r.action_id = a.id), made_on))),
    1 + (select count(*) from demo_report r where r.action_id = a.id)
        + case when completed_on is null then 0 when verified_on is null then 1 else 2 end
        + case when original_due_on <> due_on then 1 else 0 end
from demo_action a;

insert into action_update (id, action_id, reported_on, progress, note, status_after, reported_by, recorded_at)
select pg_temp.id_of(key || ' report ' || r, made), action_id, reported_on, progress,
    (array['The work has begun and a first meeting was held.', 'A draft is with the partners for comment.',
        'The first results are in; the next step is agreed.',
        'The work goes on as planned.', 'Staff changes delayed the work by some weeks.'])[
        pg_temp.whole(key || 'note' || r, 1, 5)],
    'in_progress', owner, made
from demo_report
cross join lateral (select greatest(made_at, pg_temp.instant(key || r, reported_on)) as made) m
union all
select pg_temp.id_of(key || ' verified', made), id, verified_on, 100,
    'The committee has seen the evidence and is satisfied.', 'verified', 'CPC-' || committee, made
from demo_action
cross join lateral (select greatest(made_at, pg_temp.instant(key || 'seen', verified_on)) as made) m
where verified_on is not null;

-- ---- Statistics: what would have been released so far.

do $$
declare
    latest integer := extract(year from today() - interval '6 months');
begin
    for year in latest - 1 .. latest loop
        perform statistic_release_make(year::text, make_date(year, 6, 24), make_date(year, 4, 1));
    end loop;
end
$$;

commit;
