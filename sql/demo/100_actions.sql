-- Actions, reports of their progress, and their impact.

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
-- The actions of a plan, and when they were made: the plan of the first way through the stages, and a small one of a
-- case whose implementation was opened again.
wanted as materialized (
    select h.*, coalesce(h.plan_from, h.stage_entered_on) as made_from, false as anew, case
            when h.first_stage = 'closed' and h.first_closure = 'discontinued' then
                case when h.plan_from is null then 0 else pg_temp.whole(h.key || 'actions', 0, 2) end
            when h.first_stage = 'closed' and h.first_closure = 'alternative_completed' then
                pg_temp.whole(h.key || 'actions', 0, 3)
            when h.first_stage in ('evaluation', 'closed') and h.proceeded and h.plan_from is not null then
                case when pg_temp.share(h.key || 'no action') < 0.1 then 0
                    else pg_temp.whole(h.key || 'actions', 2, 6) end
            when h.first_stage = 'implementation' then pg_temp.whole(h.key || 'actions', 3, 7)
            when h.first_stage in ('reporting', 'ratification') then pg_temp.whole(h.key || 'actions', 1, 4)
            when h.first_stage in ('set_up', 'review') then pg_temp.whole(h.key || 'actions', 0, 2)
            else 0 end as actions
    from demo_head h
    union all
    select h.*, h.stage_entered_on, true, 2 from demo_head h
    where h.again <> '{}' and h.stage = 'implementation'),
made as materialized (
    select w.n as case_n, w.id as case_id, w.committee, w.reference, case when w.anew then w.stage
            else w.first_stage end as stage, w.first_closure as closure, w.local_authority,
        w.key || case when w.anew then ' further action ' else ' action ' end || a as key, a as place, pool.*,
        -- when the action was made, and the day by which it had ended if it has
        case when w.anew or w.plan_from is not null then w.made_from else coalesce(v.entered_on, w.made_from) end
            as made_on,
        case when w.anew then today() else coalesce(least(e.entered_on, f.entered_on), today()) end as ended_by
    from wanted w
    cross join generate_series(1, w.actions) a
    join lateral (select p.* from pool p order by pg_temp.share(w.key || w.anew || 'title' || p.n) offset a - 1 limit 1)
        pool on true
    left join demo_visit v on v.n = w.n and v.stage = 'review' and v.turn = 1
    left join demo_visit e on e.n = w.n and e.stage = 'evaluation' and e.turn = 1
    left join demo_visit f on f.n = w.n and f.stage = 'closed' and f.turn = 1),
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
        case when status in ('not_achieved', 'superseded') then made_on + (room * 0.8)::integer end as ended_on,
        pg_temp.share(key || 'slips') < 0.32 as slipped
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
        when 'health' then pg_temp.health_of(committee)
        when 'police' then pg_temp.police_of(committee)
        when 'reporter' then 'SCRA' when 'third' then 'TS-OTHER' else 'CPC-' || committee end as owner,
    pg_temp.id_of(key, pg_temp.instant(key, made_on)) as id, pg_temp.instant(key, made_on) as made_at
from due;
create index on demo_action (case_n);
analyze demo_action;

-- Reports of progress up to the completion.
create temporary table demo_progress on commit drop as
select a.id as action_id, a.key, a.owner, r, r = reports as last, a.made_at,
    a.made_on + greatest(1, ((coalesce(a.completed_on, ended_on, today()) - a.made_on) * r / (reports + 1.0))::integer)
        as reported_on,
    case when a.progress = 0 then 0 else 5 * round(a.progress * r / reports / 5.0)::integer end as progress
from demo_action a
cross join lateral (select case a.status when 'in_progress' then pg_temp.whole(a.key || 'reports', 1, 4)
    when 'completed' then pg_temp.whole(a.key || 'reports', 1, 3)
    when 'verified' then pg_temp.whole(a.key || 'reports', 1, 4)
    when 'not_achieved' then pg_temp.whole(a.key || 'reports', 0, 2) else 0 end as reports) n
cross join generate_series(1, reports) r
where a.room > 4 and (r = 1 or coalesce(a.completed_on, a.ended_on, today()) - a.made_on > 20);

-- The actions that depend on the one before them in the plan, and those whose work the next one continues.
create temporary table demo_link on commit drop as
select a.key, a.id, d.id as waits_for, null::uuid as heir
from demo_action a
join demo_action d on d.case_n = a.case_n and d.place = a.place - 1 and d.made_on = a.made_on
where pg_temp.share(a.key || 'waits') < 0.3 and d.status <> 'superseded'
    and (a.completed_on is null or d.verified_on <= a.completed_on)
union all
select a.key, a.id, null, h.id
from demo_action a
join demo_action h on h.case_n = a.case_n and h.place = a.place + 1 and h.made_on = a.made_on
where a.status = 'superseded' and h.status <> 'superseded';

create temporary table demo_impact on commit drop as
select a.id as action_id, a.case_id, a.committee, a.key || ' impact ' || p as its_key, p as place, reviewed_on, outcome
from demo_action a
left join demo_visit e on e.n = a.case_n and e.stage = 'evaluation' and e.turn = 1
cross join generate_series(1, 2) p
cross join lateral (select case p when 1 then pg_temp.between(a.key || 'impact', greatest(a.verified_on, e.entered_on),
        coalesce(e.left_on, today())) else coalesce(e.left_on, a.verified_on) + 240 end as reviewed_on,
    pg_temp.weighed(a.key || 'brought' || p, case when p = 1 and e.next is distinct from 'closed'
        then 'achieved:40 partly_achieved:35 not_achieved:8 too_early:17' else 'achieved:60 partly_achieved:30 not_achieved:10' end) as outcome) r
where a.status = 'verified' and reviewed_on <= today() and case p
    when 1 then e.next = 'closed' or pg_temp.share(a.key || 'looked at') < 0.45
    else pg_temp.share(a.key || 'looked at again') < 0.2 and e.left_on is not null end;

insert into action (id, committee, case_id, case_reference, title, themes, owner_organisation, owner_role, contributors,
    owner_accepted_on, status, due_on, original_due_on, success_measure, priority, scope, resource_issue, cog_note,
    strategy_id, depends_on, replaces, replaced_by, progress, completed_on, completed_by, evidence, verified_on, reason,
    impact_reviewed_on, impact_review_due_on, requested_due_on, extension_reason, extension_requested_on, created_at, updated_at, version)
select a.id, a.committee, a.case_id, a.reference, title, array[theme]
        || case when pg_temp.share(a.key || 'theme') < 0.25 and theme <> 'workforce_and_resources'
            then array['workforce_and_resources'] else '{}' end,
    owner, pg_temp.weighed(a.key || 'role', 'service_manager:35 head_of_service:20 lead_officer:15 team_leader:12
        learning_and_development:10 quality_assurance:8'),
    case when pg_temp.share(a.key || 'helped') < 0.35 then array(select g.code from demo_agency g
        where g.n = a.case_n and g.code <> owner and g.place <= 3 order by g.place) else '{}' end,
    case when status <> 'proposed' and owner <> 'CPC-' || a.committee or status = 'proposed'
            and pg_temp.share(a.key || 'accepts') < 0.4 then pg_temp.between(a.key || 'accepted', made_on,
                least(today(), completed_on, made_on + 12)) end,
    status, due_on, original_due_on, measure, pg_temp.weighed(a.key || 'priority', 'low:16 medium:56 high:28'),
    pg_temp.weighed(a.key || 'scope', 'local:92 national:8'), resource_issue,
    case when resource_issue = 'refused' then 'Done with the means at hand, in smaller steps.' end,
    case when pg_temp.share(a.key || 'strategy') < 0.75 then (select pg_temp.id_of(s.its_key, pg_temp.instant(s.its_key,
        s.made_on)) from demo_strategy s where s.n = a.case_n order by pg_temp.share(a.key || s.place) limit 1) end,
    array(select l.waits_for from demo_link l where l.id = a.id and l.waits_for is not null),
    array(select l.id from demo_link l where l.heir = a.id order by l.id),
    array(select l.heir from demo_link l where l.id = a.id and l.heir is not null), progress, completed_on,
    case when completed_on is not null then 'demo' end,
    case when completed_on is not null then pg_temp.pick(a.key || 'evidence', array[
        'The audit was carried out and its result reported to the committee.',
        'The new paper was agreed by all partners and published to staff.',
        'The figures of two quarters show that the measure was reached.']) end,
    verified_on,
    case when status = 'not_achieved' then 'The measure could not be reached with the means at hand.'
        when status <> 'superseded' then null
        when exists (select from demo_link l where l.id = a.id and l.heir is not null) then 'merged'
        else 'Taken up in another programme of the partners.' end,
    (select max(i.reviewed_on) from demo_impact i where i.action_id = a.id),
    case when not exists (select from demo_impact i where i.action_id = a.id) then verified_on + interval '1 year' end,
    case when asks then greatest(due_on, today()) + 60 end, case when asks then 'The partners need more time to agree.' end,
    case when asks then least(today(), greatest(made_on, due_on - 7)) end, made_at,
    greatest(made_at, pg_temp.instant(a.key || 'changed', coalesce(
        (select max(i.reviewed_on) from demo_impact i where i.action_id = a.id), verified_on, completed_on, ended_on,
        (select max(p.reported_on) from demo_progress p where p.action_id = a.id), made_on))),
    1 + (select count(*) from demo_progress p where p.action_id = a.id)
        + case when completed_on is null then 0 when verified_on is null then 1 else 2 end
        + case when original_due_on <> due_on then 1 else 0 end + asks::integer
from demo_action a
cross join lateral (select pg_temp.weighed(a.key || 'resource', 'none:82 raised_with_cog:8 agreed:6 refused:4')
    as resource_issue, status in ('agreed', 'in_progress') and due_on < today() + 60
    and owner <> 'CPC-' || a.committee and pg_temp.share(a.key || 'asks') < 0.3 as asks) r;

insert into action_update (id, action_id, kind, reported_on, progress, note, due_on, evidence, status_after,
    reported_by, recorded_at)
select pg_temp.id_of(key || what || place, made), action_id, kind, day, progress, note, due_on, evidence, status_after,
    reporter, made
from (
    select key, ' report ' as what, r as place, action_id, 'progress' as kind, reported_on as day, progress,
        pg_temp.pick(key || 'note' || r, array['The work has begun and a first meeting was held.',
            'A draft is with the partners for comment.', 'The first results are in; the next step is agreed.',
            'The work goes on as planned.', 'Staff changes delayed the work by some weeks.']) as note,
        null::date as due_on, null as evidence, 'in_progress' as status_after, owner as reporter, made_at
    from demo_progress
    union all
    select key, ' moved ', 1, id, 'due_change', least(today(), greatest(made_on, coalesce(completed_on - 5,
            ended_on, original_due_on - 10))), least(progress, 95), pg_temp.pick(key || 'moved', array[
            'The partners need more time to agree.', 'A post was vacant for some months.',
            'The new system comes later than planned.']),
        due_on, null, case status when 'agreed' then 'agreed' else 'in_progress' end, 'CPC-' || committee, made_at
    from demo_action where due_on <> original_due_on
    union all
    select key, ' asks ', 1, d.id, 'extension_requested', extension_requested_on, a.progress, extension_reason,
        requested_due_on, null, a.status, owner, made_at
    from action a join demo_action d on d.id = a.id where requested_due_on is not null
    union all
    select key, ' returned ', 1, id, 'returned', completed_on - 1, 100, 'The evidence shows the plan, not yet its use.',
        null, 'The plan was sent to all teams.', 'in_progress', 'CPC-' || committee, made_at
    from demo_action where completed_on - made_on > 30 and pg_temp.share(key || 'returned') < 0.1
    union all
    select key, ' verified ', 1, id, 'verified', verified_on, 100,
        'The committee has seen the evidence and is satisfied.', null, null, 'verified', 'CPC-' || committee, made_at
    from demo_action where verified_on is not null) u
cross join lateral (select greatest(made_at, pg_temp.instant(key || what || place, day)) as made) m;

insert into impact_review (id, committee, case_id, action_id, reviewed_on, outcome, evidence, next_review_on,
    recorded_by, created_at, updated_at)
select pg_temp.id_of(its_key, made), committee, case_id, action_id, reviewed_on, outcome,
    pg_temp.pick(its_key || 'shows', array['A sample of ten files shows it in eight.',
        'Practitioners were asked: most use it, some do not know it.', 'The figures of a year are not in yet.']),
    case when outcome = 'too_early' or place = 1 and pg_temp.share(its_key || 'next') < 0.5 then reviewed_on + 180 end,
    'CPC-' || committee, made, made
from demo_impact
cross join lateral (select pg_temp.instant(its_key, reviewed_on) as made) m;
