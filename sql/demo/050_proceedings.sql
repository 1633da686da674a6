-- Proceedings in parallel to the reviews, and the holds that they cause.

-- One or two holds of each case with a kind of hold (see 020_cases.sql).
create temporary table demo_hold on commit drop as
with stay as (
    select h.n, h.key, h.hold, h.committee, h.id, v.stage, v.entered_on, v.until, v.until - v.entered_on as days
    from demo_head h
    join demo_visit v on v.n = h.n and case
        when h.hold = 'open' then v.last and v.stage in ('set_up', 'review', 'reporting', 'ratification')
        when h.hold = 'overlapping' then v.stage in ('review', 'set_up') and v.turn = 1 and h.proceeded
            and v.left_on is not null
        when h.hold = 'lifted' then v.stage = 'review' and v.turn = 1 and h.proceeded
        when h.hold in ('publication', 'dissemination', 'tracks_lifted') then v.stage = 'implementation'
            and v.turn = 1 end
    where v.until - v.entered_on >= 8)
select n, key, committee, id, place, hold, stage, case when hold in ('publication', 'dissemination', 'tracks_lifted')
        then '{}' when hold = 'open' and stage = 'review' then '{review,reporting}' else array[stage] end as stages,
    case hold when 'publication' then '{publication}' when 'dissemination' then '{dissemination}'
        when 'tracks_lifted' then '{dissemination,publication}'
        when 'open' then case when pg_temp.share(key || 'track') < 0.4 then array['publication'] else '{}' end
        else '{}' end::text[] as tracks,
    entered_on + (days * start)::integer as held_from, entered_on + (days * finish)::integer as lifted_on
from stay
join (values ('open', 1, 0.3, null::double precision), ('lifted', 1, 0.2, 0.5), ('overlapping', 1, 0.1, 0.5),
    ('overlapping', 2, 0.3, 0.7), ('publication', 1, 0.1, null), ('dissemination', 1, 0.1, null),
    ('tracks_lifted', 1, 0.0, 0.3)) part(hold, place, start, finish) using (hold);

create temporary table demo_proceeding on commit drop as
with wanted as (
    select h.*, p as place, d.died,
        (select max(d.lifted_on) from demo_hold d where d.n = h.n) as lifted_on,
        exists (select from demo_hold d where d.n = h.n) as held,
        exists (select from demo_hold d where d.n = h.n and d.lifted_on is null) as held_now
    from demo_head h
    cross join lateral (select bool_or(c.outcome = 'died') as died from demo_child c where c.n = h.n) d
    cross join generate_series(1, 2) p
    where case p when 1 then pg_temp.share(h.key || 'beside') < case when d.died then 0.3 else 0.14 end
            or exists (select from demo_hold x where x.n = h.n)
        else d.died and pg_temp.share(h.key || 'beside') < 0.08 end),
begun as (
    select *, key || ' proceeding ' || place as its_key, case when died then
            case place when 1 then pg_temp.weighed(key || 'beside kind', 'police_investigation:20
                death_investigation:35 criminal_prosecution:25 fatal_accident_inquiry:12 child_death_review:8')
            else 'fatal_accident_inquiry' end
        else pg_temp.weighed(key || 'beside kind', 'police_investigation:40 criminal_prosecution:25
            childrens_hearing:25 civil_proceedings:5 significant_adverse_event_review:5') end as kind,
        least(today(), pg_temp.between(key || 'begun' || place, opened_on - 20, opened_on + 8)) as started_on
    from wanted)
select *, case when place = 1 and held_now then null when place = 1 and held then lifted_on
        when stage = 'closed' and pg_temp.share(its_key || 'ends') < 0.92 then
            pg_temp.between(its_key || 'ended', greatest(started_on, opened_on + 3), stage_entered_on)
        when pg_temp.share(its_key || 'ends') < 0.35 then
            pg_temp.between(its_key || 'ended', greatest(started_on, opened_on), today()) end as ended_on,
    case when first_stage in ('notification', 'information_gathering') and again = '{}'
            and pg_temp.share(its_key || 'contact') < 0.5 then null
        else least(today(), started_on + pg_temp.whole(its_key || 'contact', 0, 4)) end as contact_on,
    case kind when 'childrens_hearing' then 'reporter' when 'police_investigation' then 'police'
        when 'child_death_review' then 'other' when 'significant_adverse_event_review' then 'other'
        when 'civil_proceedings' then 'other' else 'prosecution' end as contact_with,
    case when place = 1 and held then pg_temp.weighed(its_key || 'position', 'should_wait:60 may_proceed_in_part:40')
        else pg_temp.weighed(its_key || 'position', 'no_effect:60 may_proceed_in_part:40') end as position
from begun;

insert into proceeding (id, committee, case_id, case_reference, kind, started_on, ended_on, contact_made_on,
    contact_with, liaison_meeting_on, position, agreed_with, restrictions, permitted, exchanges, review_on, note,
    recorded_by, created_at, updated_at, version)
select pg_temp.id_of(its_key, made), committee, id, reference, kind, started_on, ended_on, contact_on,
    case when contact_on is not null then contact_with end,
    case when contact_on + 14 <= today() then contact_on + pg_temp.whole(its_key || 'meeting', 5, 14) end,
    position,
    case contact_with when 'reporter' then array['SCRA'] when 'prosecution' then array['COPFS',
        pg_temp.police_of(committee)] when 'police' then array[pg_temp.police_of(committee)] else '{}' end,
    case when position = 'no_effect' then '{}'
        when position = 'should_wait' then '{no_witness_interviews,no_publication}'
        else pg_temp.several(its_key || 'not', 'no_witness_interviews:70 no_family_contact:25 no_draft_circulation:40
            no_publication:50') end,
    case when position = 'no_effect' then '{}' else pg_temp.several(its_key || 'may', 'records_review:90
        practitioner_sessions:45 drafting:40') end,
    case when position <> 'no_effect' and contact_on + 20 <= today() then jsonb_build_array(
        jsonb_build_object('exchanged_on', contact_on + 6, 'direction', 'given', 'material', 'chronology'),
        jsonb_build_object('exchanged_on', contact_on + 20, 'direction', 'received', 'material', 'statements'))
        else '[]' end,
    case when position <> 'no_effect' then coalesce(ended_on, greatest(started_on,
        today() + pg_temp.whole(its_key || 'again', -15, 60))) end,
    case when pg_temp.share(its_key || 'note') < 0.3 then 'The two processes are looked at together each quarter.' end,
    'CPC-' || committee, made, greatest(made, pg_temp.instant(its_key || 'end', ended_on)),
    1 + (ended_on is not null)::integer
from demo_proceeding
cross join lateral (select greatest(opened_at, pg_temp.instant(its_key, greatest(started_on, opened_on))) as made) m;

insert into case_hold (id, committee, case_id, proceeding_id, stages, tracks, held_from, planned_until, reason,
    reason_text, agreed_with, review_on, lifted_on, recorded_by, created_at, updated_at, version)
select pg_temp.id_of(its_key, made), committee, id, case when place = 1 then (select p.id from proceeding p
        where p.case_id = d.id order by p.started_on, p.id limit 1) end,
    stages, tracks, held_from, case when pg_temp.share(its_key || 'plan') < 0.5 then held_from + 90 end, reason,
    case reason when 'other' then 'The file is needed for another inquiry.' end,
    case when pg_temp.share(its_key || 'with') < 0.5 then array['COPFS']
        else array['COPFS', pg_temp.police_of(committee)] end,
    held_from + case when lifted_on is null then pg_temp.whole(its_key || 'review', 15, 120) else 60 end, lifted_on,
    'CPC-' || committee, made, greatest(made, pg_temp.instant(its_key || 'end', lifted_on)),
    1 + (lifted_on is not null)::integer
from (select *, key || ' hold ' || place as its_key from demo_hold) d
cross join lateral (select pg_temp.instant(its_key, held_from) as made) m
cross join lateral (select pg_temp.weighed(its_key || 'why', 'interests_of_justice:50 request_of_prosecution:30
    witness_protection:14 other:6') as reason) r;

-- The clocks of the stages held, as the register computes them.
select count(case_clock_refresh(id)) from (select distinct id from demo_hold) held \g /dev/null
