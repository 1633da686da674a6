-- The steps before and at the decision: information requests, recommendation, decisions.

-- The organisations that a committee may ask.
create temporary table demo_agency on commit drop as
select h.n, a.code, a.place
from demo_head h
cross join lateral (values ('LA-' || h.local_authority, 1), (pg_temp.health_of(h.committee), 2),
    (pg_temp.police_of(h.committee), 3), ('SCRA', 4), ('TS-DEMO', 5)) a(code, place);
create index on demo_agency (n);

create temporary table demo_request on commit drop as
with asked as (
    select h.n, h.key, h.id, h.committee, h.opened_at, v.left_on, v.until, v.next, a.code, place,
        h.key || ' request ' || v.sequence || a.code as its_key,
        pg_temp.between(h.key || 'asked' || a.code, v.entered_on, least(v.until, v.entered_on + 2)) as asked_on
    from demo_head h
    join demo_visit v on v.n = h.n and v.stage = 'information_gathering'
    join demo_agency a on a.n = h.n
    where place <= 2 or pg_temp.share(h.key || 'asks' || v.sequence || a.code) < 0.55),
given as (
    select *, case
        when next = 'closed' and pg_temp.share(its_key || 'then') < 0.5 then 'withdrawn'
        when left_on is null and pg_temp.share(its_key || 'then') < 0.5 then 'open'
        else pg_temp.weighed(its_key || 'status', 'answered:80 nothing_held:8 declined:4 waived:5 withdrawn:3') end
        as status
    from asked)
select *, case when status in ('answered', 'nothing_held', 'declined') then pg_temp.between(its_key || 'answer',
    asked_on, until) end as answered_on
from given;

insert into information_request (id, committee, case_id, organisation, question, asked_on, due_on, status, answered_on,
    practice_areas, other_reviews, criminal_proceedings, summary, reason, created_at, updated_at, version, recorded_by)
select pg_temp.id_of(its_key, made), committee, id, code,
    'Please give a short account of the work with the child and the family, and first thoughts on practice.',
    asked_on, asked_on + 14, status, answered_on,
    case when status = 'answered' then pg_temp.several(its_key || 'areas', 'risk_and_need:45 information_sharing:55
        minimising_harm:20 timely_action:35 multi_agency_response:40 planning_and_review:30 record_keeping:25
        legal_measures:10 good_practice:30 improvement:25') else '{}' end,
    case when status = 'answered' then pg_temp.share(its_key || 'reviews') < 0.15 end,
    case when status = 'answered' then pg_temp.share(its_key || 'crime') < 0.1 end,
    case when status = 'answered' then pg_temp.pick(its_key || 'tells', array[
        'The service worked with the family for two years and closed its file before the incident.',
        'Contacts were frequent and short; no one person kept them together.',
        'The child was seen regularly. The plan was shared with the other services.']) end,
    case status when 'declined' then 'The records are with the police and cannot be looked at.'
        when 'waived' then 'The other answers are enough for a decision.'
        when 'withdrawn' then case when next = 'closed' then 'The case was closed.'
            else 'The organisation turned out not to be involved.' end end,
    made, greatest(made, case when status <> 'open' then pg_temp.instant(its_key || 'ended',
        coalesce(answered_on, pg_temp.between(its_key || 'ended', asked_on, until))) end),
    1 + (status <> 'open')::integer, 'CPC-' || committee
from demo_request
cross join lateral (select greatest(opened_at, pg_temp.instant(its_key, asked_on)) as made) m;

-- The last completed stay in the stage counts, or the present one.
insert into recommendation (case_id, committee, made_on, made_by, recommended, criteria_met,
    current_circumstances_recorded, other_processes_considered, expected_learning, support_needed, proposed_scope,
    created_at, updated_at, recorded_by)
select h.id, h.committee, made_on, pg_temp.weighed(h.key || 'recommends', 'sub_group:70 nominated_person:30'),
    recommended, case when recommended in ('proceed', 'alternative_review') then k.criteria else '{}' end,
    v.left_on is not null, pg_temp.share(h.key || 'others') < 0.9,
    case when recommended = 'proceed' then 'How the services can bring together earlier what each of them knows.' end,
    case when pg_temp.share(h.key || 'support') < 0.5
        then 'The staff who knew the child are supported by their services.' end,
    case when recommended = 'proceed'
        then 'The two years before the incident, and the services that were involved.' end,
    made, made, 'CPC-' || h.committee
from demo_head h
join demo_criteria k using (key)
join lateral (select * from demo_visit v where v.n = h.n and v.stage = 'recommendation'
        and (v.left_on is not null or pg_temp.share(h.key || 'recommended') < 0.5 and v.turn = 1)
    order by v.sequence desc limit 1) v on true
left join demo_decision d on d.n = h.n and d.visit = v.sequence + 1
cross join lateral (select coalesce(case when pg_temp.share(h.key || 'agrees') < 0.88 then d.outcome end,
    pg_temp.weighed(h.key || 'says', 'proceed:60 do_not_proceed:30 alternative_review:10')) as recommended,
    pg_temp.between(h.key || 'recommended on', v.entered_on, v.until) as made_on) r
cross join lateral (select greatest(h.opened_at, pg_temp.instant(h.key || 'recommended', made_on)) as made) m;

insert into case_decision (id, visit, case_id, committee, current, supersedes, outcome, decided_on, reasons,
    alternative_kind, alternative_owner, criteria_met, criteria_no_bearing, no_bearing_reason, decided_by, unanimous,
    note, family_informed_on, family_wait_reason, chief_officers_informed_on, recorded_at, updated_at, version)
select id_made.id, d.visit, h.id, h.committee, d.current,
    lag(id_made.id) over (partition by d.n order by d.visit), d.outcome, d.decided_on,
    case d.outcome when 'proceed' then '{}' when 'more_information' then array['insufficient_information']
        when 'alternative_review' then array[pg_temp.weighed(its_key || 'why',
            'better_met_by_other_review:50 single_agency_matter:25 learning_already_identified:25')]
        else array[pg_temp.weighed(its_key || 'why', 'criteria_not_met:42 no_additional_learning:30
            learning_already_identified:16 single_agency_matter:8 other:4')] end,
    case when d.outcome = 'alternative_review' then pg_temp.weighed(its_key || 'kind',
        'single_agency_review:24 multi_agency_reflective_session:40 significant_adverse_event_review:14
        child_death_review:8 case_file_audit:10 other:4') end,
    case when d.outcome = 'alternative_review' then (select a.code from demo_agency a
        where a.n = d.n and a.place = 1 + (pg_temp.share(its_key || 'owner') < 0.4)::integer) end,
    met.criteria, no_bearing.criteria,
    case when no_bearing.criteria <> '{}' then 'The status ended years before and had no part in what happened.' end,
    pg_temp.weighed(its_key || 'by', 'committee:86 chair_delegated:14'),
    nullif(pg_temp.weighed(its_key || 'unanimous', 'true:84 false:9 unknown:7'), 'unknown')::boolean,
    case when pg_temp.share(its_key || 'note') < 0.2
        then 'The agencies concerned were told of the decision and of its reasons.' end,
    informed.family_on,
    case when d.outcome <> 'more_information' and informed.family_on is null and d.left_on is not null
        then 'The family is informed once the police have spoken to them.' end,
    pg_temp.between(its_key || 'chiefs', d.decided_on, least(d.until, d.decided_on + 10)), made, made, d.place
from demo_decision d
join demo_head h using (n)
join demo_criteria k on k.key = h.key
cross join lateral (select greatest(h.opened_at, pg_temp.instant(its_key, decided_on)) as made) m
cross join lateral (select pg_temp.id_of(its_key, made) as id) id_made
cross join lateral (select case d.outcome when 'proceed' then k.criteria[1:greatest(1, cardinality(k.criteria)
        - (pg_temp.share(its_key || 'met') < 0.4)::integer)]
    when 'alternative_review' then k.criteria[1:1] else '{}' end as criteria) met
cross join lateral (select array(select c from unnest(k.criteria) c where c <> all (met.criteria)
    and c in ('child_protection_register', 'care_experienced')) as criteria) no_bearing
cross join lateral (select case when d.outcome <> 'more_information' and pg_temp.share(its_key || 'family') < 0.85
    then pg_temp.between(its_key || 'family', d.decided_on, least(d.until, d.decided_on + 14)) end as family_on)
    informed;
