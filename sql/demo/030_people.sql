-- Referrals and children.

-- Referrals: those of the cases, and those that never became a case. A merged case gave its referrals to the other one.

create temporary table demo_referral on commit drop as
with of_case as materialized (
    select 'referral ' || h.n || '.' || r as key, h.n, h.committee, h.origin, h.first_area as local_authority,
        'accepted' as status, pg_temp.weekday(least(today(), h.stage_entered_on, h.opened_on + case r
            when 1 then 0 else pg_temp.whole('late' || h.n || r, 0, 20) end)) as decided_on,
        null::integer as waited
    from demo_head h
    cross join generate_series(1, pg_temp.weighed('referrals' || h.n, '1:84 2:13 3:3')::integer) r),
alone as materialized (
    select 'referral alone ' || a as key, null::integer as n, w.committee, w.committee as origin,
        area.code as local_authority,
        case when a <= 34 then 'submitted' when a <= 66 then 'acknowledged' when a <= 116 then 'rejected'
            else 'withdrawn' end as status,
        case when a > 66 then pg_temp.weekday(today()
            - pg_temp.whole('alone' || a, 3, 4200)) end as decided_on,
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
        when 'third_sector' then 'TS-DEMO' else 'CPC-' || c.code end as source_organisation
from dated join committee c on c.code = dated.origin;

-- Children: those of the cases, and those of referrals that never became a case.

create temporary table demo_child on commit drop as
with subject as materialized (
    select key, n, pg_temp.weighed(key || 'children', case
            when review_type = 'single' then '1:1' when review_type = 'joint' then '1:7 2:3'
            else '2:5 3:3 4:2' end)::integer as children
    from demo_head
    union all
    select key, null, pg_temp.weighed(key || 'children', '1:75 2:17 3:8')::integer
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
