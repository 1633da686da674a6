-- The report: drafted, agreed, ratified, published or not, disseminated; and the end of cases.

-- r: first stay in reporting; l: last one. A report that came back for changes is agreed again.
create temporary table demo_report on commit drop as
select h.n, h.key, h.id, h.committee, h.organisation, r.until, r.left_on, l.left_on as last_left, l.next as last_next,
    r.turn < l.turn as changed, drafted_on,
    pg_temp.between(h.key || 'accuracy', drafted_on, r.until) as accuracy_on,
    l.entered_on as last_from, l.until as last_until,
    exists (select from demo_proceeding p where p.n = h.n) as beside,
    exists (select from demo_strategy s where s.n = h.n) as suggests
from demo_head h
join demo_visit r on r.n = h.n and r.stage = 'reporting' and r.turn = 1
join demo_visit l on l.n = h.n and l.stage = 'reporting' and l.latest
cross join lateral (select pg_temp.between(h.key || 'drafted', r.entered_on,
    r.entered_on + (r.until - r.entered_on) / 2) as drafted_on) d
where h.proceeded and (r.left_on is not null or pg_temp.share(h.key || 'writes') < 0.75);

insert into report (case_id, committee, drafted_on, accuracy_checked_on, family_feedback_on,
    prosecution_consulted_on, committee_agreed_on, sections, no_strategies_reason, delay_reasons, document_digest,
    written_by, agreed_by, recorded_by, created_at, updated_at, version)
select id, committee, drafted_on, case when done then accuracy_on end,
    case when done and pg_temp.share(key || 'feedback') < 0.6
        then pg_temp.between(key || 'feedback', drafted_on, until) end,
    case when done and beside then pg_temp.between(key || 'consulted', drafted_on, until) end, agreed_on,
    case when done then '{core_data,introduction,review_process,facts,analysis,learning_points}'::text[]
        || pg_temp.several(key || 'sections', 'effective_practice:70 strategies:85')
        else '{core_data,introduction,review_process,facts}' end,
    case when done and not suggests then 'The services changed their practice while the review went on.' end,
    case when until - last_from > 61 or pg_temp.share(key || 'delays') < 0.15 then pg_temp.several(key || 'delay',
        'awaiting_agency_information:30 parallel_proceedings:20 family_engagement:15 complexity:30 capacity:25
        change_of_reviewer:8') else '{}' end,
    case when done then md5(key || 'report') || md5(key || 'text') end,
    'committee-system', case when agreed_on is not null then 'lead-officer' end, 'CPC-' || committee, made,
    greatest(made, pg_temp.instant(key || 'agreed report', agreed_on)),
    1 + done::integer + 2 * changed::integer + (agreed_on is not null)::integer
from demo_report
cross join lateral (select left_on is not null or pg_temp.share(key || 'done') < 0.4 as done) d
cross join lateral (select case when last_next = 'ratification' or last_next is null and not changed and done
        and pg_temp.share(key || 'agrees') < 0.3
    then pg_temp.between(key || 'agreed report', greatest(last_from, accuracy_on), last_until) end as agreed_on) a
cross join lateral (select pg_temp.instant(key || 'drafted', drafted_on) as made) m;

create temporary table demo_ratification on commit drop as
select v.n, h.key, h.id as case_id, h.committee, h.key || ' ratification ' || v.sequence as its_key, v.sequence,
    v.until, v.left_on, o.outcome, pg_temp.between(h.key || 'ratified' || v.sequence, agreed_on, v.until) as decided_on
from demo_visit v
join demo_head h using (n)
cross join lateral (select case v.next when 'reporting' then 'changes_requested' when 'implementation' then 'ratified'
    when 'closed' then null else case when pg_temp.share(h.key || 'ratified') < 0.25 then 'ratified' end end
    as outcome) o
cross join lateral (select greatest(v.entered_on, case when v.latest then (select r.committee_agreed_on from report r
    where r.case_id = h.id) end) as agreed_on) a
where v.stage = 'ratification' and o.outcome is not null;

insert into ratification (id, committee, case_id, stage_sequence, outcome, decided_on, reason, plan_considered_on,
    resource_issues_raised, recorded_by, recorded_at, updated_at, version)
select pg_temp.id_of(its_key, made), committee, case_id, r.sequence, outcome, decided_on,
    case outcome when 'changes_requested' then 'Say more clearly who is to do what, and by when.' end, plan.day,
    case when plan.day is not null then pg_temp.share(its_key || 'resources') < 0.2 end,
    'COG-' || committee, made, greatest(made, pg_temp.instant(its_key || 'plan', plan.day)),
    1 + (plan.day is not null)::integer
from demo_ratification r
left join demo_visit v on v.n = r.n and v.stage = 'implementation' and v.sequence = r.sequence + 1
left join lateral (select pg_temp.between(its_key || 'plan', r.decided_on, least(v.until, r.decided_on + 40)) as day
    where r.outcome = 'ratified' and (v.next = 'evaluation' or v.n is not null
        and pg_temp.share(its_key || 'plan') < 0.6)) plan on true
cross join lateral (select pg_temp.instant(its_key, decided_on) as made) m;

-- The first ratified report of a case, and its publication while its plan is carried out (v: the stay in
-- implementation, e: the one in evaluation). `free_from`: the day from which no hold stops publication.
create temporary table demo_publication on commit drop as
with ratified as (
    select h.n, h.key, h.id, h.committee, h.organisation, h.reference, h.hold, h.publish, r.decided_on as ratified_on,
        v.until as plan_until, v.next as plan_next, e.until as evaluated_by, e.next as evaluation_next,
        e.n is not null as evaluating, (select max(d.lifted_on) from demo_hold d where d.n = h.n
            and d.tracks <> '{}') as free_from,
        exists (select from demo_hold d where d.n = h.n and d.tracks <> '{}' and d.lifted_on is null) as held,
        exists (select from demo_proceeding p where p.n = h.n) as beside
    from demo_head h
    join lateral (select * from demo_ratification r where r.n = h.n and r.outcome = 'ratified'
        order by r.sequence limit 1) r on true
    join demo_visit v on v.n = h.n and v.stage = 'implementation' and v.turn = 1
    left join demo_visit e on e.n = h.n and e.stage = 'evaluation' and e.turn = 1),
fate as (
    select *, case
        when held then 'decided'
        when plan_next = 'closed' then pg_temp.weighed(key || 'fate', 'none:60 not_published:40')
        when evaluating and publish = 'not_published' then 'not_published'
        when evaluation_next = 'closed' then 'published'
        when evaluating then pg_temp.weighed(key || 'fate', 'published:70 decided:30')
        when publish = 'not_published' then pg_temp.weighed(key || 'fate', 'not_published:60 none:40')
        else pg_temp.weighed(key || 'fate', 'none:25 not_decided:15 decided:30 published:30') end as fate
    from ratified),
decided as (
    select *, case when fate not in ('none', 'not_decided') then pg_temp.between(key || 'publish decided',
        ratified_on, least(plan_until, ratified_on + 60)) end as decided_on
    from fate where fate <> 'none'),
published as (
    select *, case when fate = 'published' then pg_temp.between(key || 'published', greatest(decided_on, free_from,
        least(decided_on + 10, plan_until)), least(coalesce(evaluated_by, plan_until), decided_on + 200)) end
        as published_on
    from decided)
select *, case when fate = 'published' and publish = 'removed' and published_on + 60 <= today()
    then least(today(), published_on + pg_temp.whole(key || 'removed', 60, 300)) end as removed_on
from published;

insert into publication (case_id, committee, form, decided_on, reason, reporting_restrictions_checked,
    family_told_on, practitioners_told_on, prosecution_sight_on, intended_on, published_on, url, removed_on,
    removal_reason, anonymisation_checked_on, anonymisation_checked_by, written_by, recorded_by, created_at,
    updated_at, version)
select id, committee, form, decided_on,
    case when fate = 'not_published' then pg_temp.pick(key || 'unpublished', array[
        'The family would be recognised in any form.', 'The children asked that nothing be published.']) end,
    published_on is not null or pg_temp.share(key || 'restrictions') < 0.5, told_on,
    pg_temp.between(key || 'practitioners', decided_on, published_on),
    case when beside then pg_temp.between(key || 'sight', decided_on, published_on) end,
    case when fate in ('decided', 'published') then decided_on + pg_temp.whole(key || 'intended', 20, 90) end,
    published_on, case when published_on is null then null
        when form = 'published_anonymously_elsewhere'
            then 'https://library.example.org/reviews/' || substr(md5(key), 1, 8)
        else format('https://committee.example.org/%s/learning/%s', lower(committee), lower(reference)) end,
    removed_on, case when removed_on is not null then 'The summary stood for two years, as agreed with the family.' end,
    checked_on, case when checked_on is not null then 'lead-officer' end, 'committee-system', 'CPC-' || committee,
    made, greatest(made, pg_temp.instant(key || 'published', coalesce(removed_on, published_on))),
    1 + (checked_on is not null)::integer + (published_on is not null)::integer + (removed_on is not null)::integer
from demo_publication
cross join lateral (select case fate when 'not_published' then 'not_published' when 'not_decided' then null
    else case when publish in ('removed', 'not_published') then 'learning_summary' else publish end end as form) f
cross join lateral (select pg_temp.between(key || 'family told', decided_on, published_on) as told_on,
    case when published_on is not null or fate = 'decided' and pg_temp.share(key || 'checked') < 0.5
        then pg_temp.between(key || 'checked', decided_on, least(today(), coalesce(published_on, today()))) end
        as checked_on) c
cross join lateral (select pg_temp.instant(key || 'publication', coalesce(decided_on, ratified_on)) as made) m;

-- No learning is disseminated on a day on which a hold stops it.
insert into dissemination (id, committee, case_id, audience, level, form, disseminated_on, recorded_by, recorded_at,
    updated_at)
select pg_temp.id_of(its_key, made), committee, id, audience, case when audience in ('other_committees',
        'scottish_government', 'professional_bodies') then 'national' else 'local' end,
    pg_temp.weighed(its_key || 'form', case audience when 'practitioners' then 'seven_minute_briefing:50 event:25
        training:25' when 'managers' then 'briefing:70 event:30' when 'other_committees' then 'newsletter:60 report:40'
        else 'briefing:60 report:40' end), day, organisation, made, made
from (
    select h.n, h.id, h.committee, h.organisation, h.key || ' passes on to ' || a.audience as its_key, a.audience,
        pg_temp.between(h.key || 'passes on' || a.audience, r.decided_on, v.until) as day
    from demo_head h
    join lateral (select * from demo_ratification r where r.n = h.n and r.outcome = 'ratified'
        order by r.sequence limit 1) r on true
    join demo_visit v on v.n = h.n and v.stage = 'implementation' and v.turn = 1
    join (values ('practitioners', 90), ('managers', 60), ('chief_officers', 30), ('family', 25),
        ('other_committees', 25), ('third_sector', 20), ('scottish_government', 10), ('elected_members', 8))
        a(audience, percent) on pg_temp.share(h.key || 'tells' || a.audience) * 100 < a.percent) d
cross join lateral (select pg_temp.instant(its_key, day) as made) m
where not exists (select from demo_hold x where x.n = d.n and 'dissemination' = any (x.tracks)
    and d.day >= x.held_from and d.day < coalesce(x.lifted_on, 'infinity'));

insert into evaluation (case_id, committee, evaluated_on, outcome, summary, next_review_on, recorded_by, created_at,
    updated_at)
select h.id, h.committee, day, pg_temp.weighed(h.key || 'evaluated', 'achieved:50 partly_achieved:42 not_achieved:8'),
    pg_temp.pick(h.key || 'evaluation', array['Shared chronologies are kept in nine of ten files.',
        'Practitioners say that they know whom to ask. Waiting times have not changed.',
        'Most of what was agreed is in use; supervision is still uneven.']),
    case when pg_temp.share(h.key || 'looks again') < 0.4 then day + 365 end, 'CPC-' || h.committee, made, made
from demo_head h
join demo_visit v on v.n = h.n and v.stage = 'evaluation' and v.latest
cross join lateral (select pg_temp.between(h.key || 'evaluated', v.entered_on, v.until) as day) d
cross join lateral (select pg_temp.instant(h.key || 'evaluated', day) as made) m
where v.next = 'closed' and not (h.first_closure = 'discontinued' and h.stopped = 'evaluation')
    or v.next is null and pg_temp.share(h.key || 'evaluates') < 0.3;

-- From setting up on, committee and chief officers may agree to discontinue. In a few cases only one of them has.
insert into discontinuation (case_id, committee, committee_agreed_on, chief_officers_agreed_on, reason, recorded_by,
    created_at, updated_at, version)
select h.id, h.committee, agreed_on, case when v.next = 'closed' then pg_temp.between(h.key || 'chiefs agreed',
        agreed_on, v.until) end,
    pg_temp.pick(h.key || 'discontinued', array['An inquiry answers every question of the review.',
        'The review of another body has come to the same learning.']), 'CPC-' || h.committee, made, made,
    1 + (v.next is not null)::integer
from demo_head h
join demo_visit v on v.n = h.n and v.stage in ('set_up', 'review', 'reporting', 'ratification', 'implementation',
    'evaluation') and h.proceeded
cross join lateral (select pg_temp.between(h.key || 'agreed to end', v.entered_on, v.until) as agreed_on) a
cross join lateral (select pg_temp.instant(h.key || 'agreed to end', agreed_on) as made) m
where v.next = 'closed' and h.first_closure = 'discontinued' and v.stage = h.stopped
    or v.last and v.stage = 'review' and pg_temp.share(h.key || 'would end') < 0.04;
