-- Setting up and carrying out the review: mandate, team, liaison, engagement, findings and strategies.

-- The first stays in the stages of a review: d in decision, u in setting up, w in the review itself.
create temporary table demo_review on commit drop as
select h.n, h.key, h.id, h.committee, h.organisation, h.local_authority, h.opened_on, h.proceeded, h.stage as now_in,
    (select min(d.decided_on) from demo_decision d where d.n = h.n
        and d.outcome in ('proceed', 'alternative_review')) as decided_on,
    u.entered_on as up_from, u.left_on as up_left, u.until as up_until, u.next as up_next,
    w.entered_on as review_from, w.left_on as review_left, w.until as review_until, w.next as review_next
from demo_head h
left join demo_visit u on u.n = h.n and u.stage = 'set_up' and u.turn = 1
left join demo_visit w on w.n = h.n and w.stage = 'review' and w.turn = 1
where u.n is not null or w.n is not null;
create index on demo_review (n);

insert into mandate (case_id, committee, agreed_on, questions, period_from, period_to, agencies,
    target_completion_on, legal_advice, media_plan, staff_support_plan, created_at, updated_at)
select id, committee, agreed_on, (array['What did the services know, and when?', 'How did they share it?',
        'What would have helped those who worked with the family?'])[1:pg_temp.whole(key || 'questions', 1, 3)],
    opened_on - pg_temp.whole(key || 'period', 400, 1100), opened_on - pg_temp.whole(key || 'to', 0, 30),
    (select array_agg(a.code order by a.place) from demo_agency a where a.n = r.n and a.place <= 3),
    case when agreed_on is not null then agreed_on + pg_temp.whole(key || 'target', 150, 270) end,
    pg_temp.share(key || 'legal') < 0.8, pg_temp.share(key || 'media') < 0.6,
    agreed_on is not null or pg_temp.share(key || 'staff') < 0.5, made, greatest(made, pg_temp.instant(key || 'agreed',
        agreed_on))
from demo_review r
cross join lateral (select case when up_next = 'review' or up_left is null and pg_temp.share(key || 'agreed') < 0.3
    then pg_temp.between(key || 'agreed', up_from, up_until) end as agreed_on) a
cross join lateral (select pg_temp.instant(key || 'mandate', up_from) as made) m
where proceeded and (up_next = 'review' or pg_temp.share(key || 'mandate') < 0.7);

-- A chair may hand over to another one during the review.
insert into team_member (id, committee, case_id, role, organisation, client, independence, appointed_on, ended_on,
    ended_reason, created_at, updated_at, version)
select pg_temp.id_of(its_key, made), committee, id, role, organisation, case when role = 'reviewer'
        and organisation = 'INDEPENDENT' then case committee when 'GLA' then 'reviewer-1' else 'reviewer-' || n end end,
    case when organisation = 'INDEPENDENT' then 'external' when role = 'chair' and organisation like 'CPC-%'
        then 'other_scottish_area' else 'internal' end,
    appointed_on, ended_on, case when ended_on is not null then 'Took up another post.' end, made,
    greatest(made, pg_temp.instant(its_key || 'ended', ended_on)), 1 + (ended_on is not null)::integer
from (
    select r.n, r.key, r.id, r.committee, role, r.key || ' team ' || part.place as its_key,
        case role when 'chair' then pg_temp.weighed(r.key || 'chaired by' || part.place,
                'INDEPENDENT:50 other:30 own:20')
            when 'reviewer' then pg_temp.weighed(r.key || 'reviewed by', 'INDEPENDENT:70 own:30')
            else 'own' end as kind,
        case when part.place = 6 then change.day
            else pg_temp.between(r.key || 'appointed' || part.place, r.up_from, r.up_until) end as appointed_on,
        case when part.place = 1 then change.day end as ended_on, part.agency
    from demo_review r
    cross join lateral (select case when r.review_left is not null and pg_temp.share(r.key || 'hands over') < 0.08
        then pg_temp.between(r.key || 'hands over', r.review_from, r.review_until) end as day) change
    join (values (1, 'chair', 1), (2, 'reviewer', 2), (3, 'member', 2), (4, 'member', 3), (5, 'administrator', 1),
        (6, 'chair', 2)) part(place, role, agency) on case part.place when 6 then change.day is not null
            else r.up_next = 'review' or part.place <= pg_temp.whole(r.key || 'so far', 0, 3) end
    where r.proceeded) t
cross join lateral (select case t.kind when 'INDEPENDENT' then 'INDEPENDENT'
    when 'other' then 'CPC-' || pg_temp.other_committee(t.key || 'lends', t.committee)
    else (select a.code from demo_agency a where a.n = t.n and a.place = t.agency) end as organisation) o
cross join lateral (select pg_temp.instant(its_key, appointed_on) as made) m;

insert into family_liaison (case_id, committee, lead_role, strategy_agreed_on, leaflet_given_on,
    coordinated_with_police, note, created_at, updated_at)
select id, committee, pg_temp.weighed(key || 'liaison', 'chair:55 social_worker:20 reviewer:10 health_professional:8
        police_family_liaison:7'), agreed_on,
    case when pg_temp.share(key || 'leaflet') < 0.8 then agreed_on end, pg_temp.share(key || 'police') < 0.4,
    case when pg_temp.share(key || 'liaison note') < 0.15
        then 'The parents live apart and are spoken to separately.' end,
    made, greatest(made, pg_temp.instant(key || 'liaison agreed', agreed_on))
from demo_review
cross join lateral (select case when up_next = 'review' or up_left is null and pg_temp.share(key || 'liaised') < 0.3
    then pg_temp.between(key || 'liaison', up_from, up_until) end as agreed_on) a
cross join lateral (select pg_temp.instant(key || 'liaison', up_from) as made) m
where proceeded and (up_next = 'review' or pg_temp.share(key || 'liaising') < 0.6);

insert into family_engagement (id, committee, case_id, relation, invited_on, not_invited_reason, response,
    responded_on, response_reason, method, views_taken_on, feedback_before_publication_on, created_at, updated_at,
    version)
select pg_temp.id_of(its_key, made), committee, id, relation, invited_on,
    case when invited_on is null then 'The person is accused in the proceedings.' end, response, responded_on,
    case response when 'no_reply' then 'Two letters and a telephone call were not answered.'
        when 'declined' then 'The person does not wish to go through it again.' end,
    case when response = 'took_part' then pg_temp.weighed(its_key || 'method', 'meeting:40 home_visit:30 telephone:12
        video:8 written:5 through_advocate:5') end,
    case when response = 'took_part' then pg_temp.between(its_key || 'views', responded_on, review_until) end,
    case when response = 'took_part' and review_next = 'reporting' and pg_temp.share(its_key || 'feedback') < 0.6
        then least(today(), review_left + 14) end,
    made, greatest(made, pg_temp.instant(its_key || 'answer', responded_on)), 1 + (responded_on is not null)::integer
from (
    select r.*, r.key || ' family ' || p.relation as its_key, p.relation, a.response, i.invited_on,
        case when a.response in ('took_part', 'declined') then pg_temp.between(r.key || 'responds' || p.relation,
            i.invited_on, least(r.review_until, i.invited_on + 40)) end as responded_on
    from demo_review r
    join (values ('parent', 100), ('grandparent', 30), ('carer', 25), ('child_or_young_person', 22), ('sibling', 15),
        ('step_parent', 15)) p(relation, percent)
        on pg_temp.share(r.key || 'invites' || p.relation) * 100 < p.percent
    cross join lateral (select case
        when p.relation = 'step_parent' and pg_temp.share(r.key || 'accused') < 0.6 then 'not_invited'
        when r.review_left is null and pg_temp.share(r.key || 'waits' || p.relation) < 0.4 then null
        else pg_temp.weighed(r.key || 'says' || p.relation, 'took_part:55 declined:25 no_reply:20') end as response) a
    cross join lateral (select case when a.response is distinct from 'not_invited' then pg_temp.between(
        r.key || 'invited' || p.relation, r.review_from, least(r.review_until, r.review_from + 30)) end
        as invited_on) i
    where r.review_from is not null and (r.proceeded or pg_temp.share(r.key || 'family too') < 0.3)) e
cross join lateral (select pg_temp.instant(its_key, coalesce(invited_on, review_from)) as made) m;

insert into practitioner_engagement (id, committee, case_id, kind, held_on, organisations, participants_count,
    reason, support_offered, created_at, updated_at)
select pg_temp.id_of(its_key, made), committee, id, kind, case when kind <> 'not_held' then day end,
    case when kind = 'not_held' then '{}' else (select array_agg(a.code order by a.place) from demo_agency a
        where a.n = e.n and a.place <= 1 + pg_temp.whole(its_key || 'from', 1, 3)) end,
    case kind when 'individual' then pg_temp.whole(its_key || 'people', 1, 3) when 'not_held' then null
        else pg_temp.whole(its_key || 'people', 6, 28) end,
    case when kind = 'not_held' then 'All who worked with the child are witnesses.' end,
    pg_temp.share(its_key || 'support') < 0.95, made, made
from (
    select r.n, r.id, r.committee, r.key || ' practitioners ' || k.kind as its_key, k.kind,
        pg_temp.between(r.key || 'held' || k.kind, r.review_from, r.review_until) as day
    from demo_review r
    cross join lateral (select pg_temp.share(r.key || 'none held') < 0.05 and r.proceeded as none) n
    join (values ('learning_event', 90), ('individual', 75), ('feedback_event', 35), ('not_held', 0)) k(kind, percent)
        on case when n.none then k.kind = 'not_held' else pg_temp.share(r.key || 'holds' || k.kind) * 100 < k.percent
            or k.kind = 'learning_event' and r.review_next = 'reporting' end
    where r.review_from is not null and (r.review_left is not null or r.review_until - r.review_from > 20)) e
cross join lateral (select pg_temp.instant(its_key, day) as made) m;

create temporary table demo_learning on commit drop as
select * from (values
    (1, 'learning_point', 'Nobody saw the whole history of the family.', 'information_sharing', 'information_sharing'),
    (2, 'learning_point', 'Risk was judged by single events.', 'risk_and_need', 'assessment_and_risk_analysis'),
    (3, 'learning_point', 'It was not clear who led.', 'multi_agency_response', 'named_person_and_lead_professional'),
    (4, 'learning_point', 'The thresholds of the services did not fit together.', 'timely_action', 'thresholds'),
    (5, 'learning_point', 'Neglect was seen and not named.', 'risk_and_need', 'neglect_recognition'),
    (6, 'learning_point', 'The plan was not looked at when things changed.', 'planning_and_review',
        'planning_and_review'),
    (7, 'learning_point', 'Chronologies had gaps.', 'record_keeping', 'chronology_and_record_keeping'),
    (8, 'learning_point', 'The child''s own words were not recorded.', 'planning_and_review', 'child_voice'),
    (9, 'learning_point', 'The men of the household were not asked.', 'risk_and_need', 'fathers_and_males'),
    (10, 'learning_point', 'Appointments kept were taken for change.', 'minimising_harm',
        'resistance_and_disguised_compliance'),
    (11, 'learning_point', 'Supervision looked at tasks more than at the child.', 'improvement',
        'supervision_and_oversight'),
    (12, 'learning_point', 'Legal measures were considered late.', 'legal_measures', 'legal_measures'),
    (13, 'effective_practice', 'A school nurse kept contact through every change.', 'good_practice', 'child_voice'),
    (14, 'effective_practice', 'A joint visit brought the services together.', 'good_practice', 'information_sharing'),
    (15, 'effective_practice', 'The plan was written with the family.', 'good_practice', 'planning_and_review')
) learning(place, kind, statement, practice_area, theme);

create temporary table demo_finding on commit drop as
select r.n, r.id as case_id, r.committee, r.organisation, r.key || ' finding ' || l.place as its_key, l.*,
    pg_temp.between(r.key || 'found' || l.place, r.review_from, r.review_until) as found_on
from demo_review r
cross join lateral (select case when not r.proceeded then pg_temp.whole(r.key || 'finds', 1, 3)
    when r.review_left is null then pg_temp.whole(r.key || 'finds', 0, 3)
    else pg_temp.whole(r.key || 'finds', 2, 6) end as many) m
join lateral (select * from demo_learning l order by pg_temp.share(r.key || 'learns' || l.place) limit m.many) l on true
where r.review_from is not null;

insert into finding (id, committee, case_id, kind, statement, practice_area, themes, factors, recorded_by, created_at,
    updated_at)
select pg_temp.id_of(its_key, made), committee, case_id, kind, statement, practice_area, array[theme],
    pg_temp.several(its_key || 'factors', 'domestic_abuse:30 parental_alcohol_use:20 parental_drug_use:25
        parental_mental_health:30 parental_childhood_adversity:15 non_engaging_family:20 disguised_compliance:10
        neglect:35 emotional_abuse:12 child_mental_health:18 financial_problems:12 housing:14 isolation:10
        mobility_between_areas:12 transition:8'),
    organisation, made, made
from demo_finding cross join lateral (select pg_temp.instant(its_key, found_on) as made) m;

-- The report suggests strategies; one review in ten suggests none and says why.
create temporary table demo_strategy on commit drop as
select r.n, r.id as case_id, r.committee, r.organisation, r.key || ' strategy ' || p as its_key, p as place,
    pg_temp.between(r.key || 'suggests' || p, v.entered_on, v.until) as made_on
from demo_review r
join demo_visit v on v.n = r.n and v.stage = 'reporting' and v.turn = 1
cross join generate_series(1, case when pg_temp.share(r.key || 'no strategy') < 0.1 then 0
    when v.left_on is null then pg_temp.whole(r.key || 'strategies', 0, 2)
    else pg_temp.whole(r.key || 'strategies', 1, 3) end) p
where r.proceeded;

insert into strategy (id, committee, case_id, case_for_change, learning_orientation, evidence,
    responsible_organisation, review_on, findings, recorded_by, created_at, updated_at)
select pg_temp.id_of(its_key, made), committee, case_id,
    pg_temp.pick(its_key || 'change', array['Services act on parts of what is known.',
        'Concerns that grow slowly are met late.', 'Practitioners carry hard judgements alone.']),
    case when pg_temp.share(its_key || 'orientation') < 0.7
        then 'Teams try the change in one locality and tell the others what they learned.' end,
    pg_temp.pick(its_key || 'evidence', array['The last audit found the same in half of the files.',
        'Practitioners of all services named it at the learning event.',
        'Two earlier reviews of other areas came to the same point.']),
    (select a.code from demo_agency a where a.n = s.n and a.place = pg_temp.whole(its_key || 'whose', 1, 3)),
    made_on + pg_temp.whole(its_key || 'review', 180, 400),
    array(select pg_temp.id_of(f.its_key, pg_temp.instant(f.its_key, f.found_on)) from demo_finding f
        where f.n = s.n and pg_temp.share(s.its_key || f.place) < 0.6 order by f.place),
    organisation, made, made
from demo_strategy s cross join lateral (select pg_temp.instant(its_key, made_on) as made) m;
