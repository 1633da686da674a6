-- Cases: the present stage of each, its way there, and the day on which it entered each stage.

create temporary table demo_weight on commit drop as
select code as committee, sum(weight) over (order by code) as reached, sum(weight) over () as total
from (select code, case
        when code = 'GLA' then 42 when code = 'EDH' then 26 when code in ('FIF', 'NLK', 'SLK') then 22
        when code in ('ABE', 'ABD', 'HLD', 'DND', 'WLN', 'REN') then 14
        when code in ('ORK', 'SHE', 'OHB') then 2 else 8 end as weight
    from committee) weights;

-- The special features of a case. stopped: the stage from which it was discontinued; again: the stages after it was
-- re-opened; hold: the kind of hold; publish: the result of its publication; transfer: the result of a transfer, and
-- the other committee; since: days in the present stage; gone: days since it was closed.
create type pg_temp.demo_plan as (n integer, key text, committee text, stage text, closure text, alternative boolean,
    asked_twice boolean, report_changed boolean, review_type text, decides text, stopped text, again text[],
    again_reason text, hold text, publish text, transfer text, partner text, since integer, gone integer,
    legal_hold text, into_n integer);

-- Each committee has at least one case; the others are divided by size (multiples of the golden ratio, modulo 1, are
-- spread evenly). Those from 481 on belong to the committee of the examples: one for each thing to see.
create temporary table demo_case on commit drop as
with base as (
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
        pg_temp.weighed('type' || n, 'single:72 sibling_group:20 thematic:4 joint:4') as review_type,
        pg_temp.weighed('outcome' || 'case ' || n, 'undecided:44 proceed:22 do_not_proceed:14
            alternative_review:9 more_information:11') as decides,
        pg_temp.weighed('stopped' || n, 'notification:10 information_gathering:22 recommendation:10 set_up:16
            review:14 reporting:10 ratification:8 implementation:6 evaluation:4') as stopped,
        pg_temp.weighed('publish' || n, 'full_report:14 executive_summary:26 learning_summary:32
            published_anonymously_elsewhere:7 not_published:18 removed:3') as publish,
        pg_temp.weighed('transfer' || n, 'none:96 accepted:1 refused:1 withdrawn:1 proposed:1') as transfer
    from generate_series(1, 520) n),
usual as (
    select *,
        case when n <= 480 and stage = 'closed' and pg_temp.share('again' || n) < 0.05 then
            string_to_array(pg_temp.pick('again to' || n, case closure
                when 'completed' then '{"implementation","implementation,evaluation,closed","reporting"}'::text[]
                when 'did_not_proceed' then
                    '{"decision","information_gathering","information_gathering,recommendation,decision,set_up"}'
                when 'discontinued' then '{"information_gathering,recommendation"}' else '{"decision"}' end), ',')
            else '{}' end as again,
        case when stage in ('set_up', 'review', 'reporting', 'ratification') and not alternative
                then pg_temp.weighed('hold' || n, 'none:80 open:12 overlapping:4 lifted:4')
            when stage = 'implementation' then pg_temp.weighed('hold' || n, 'none:80 publication:6 dissemination:6
                tracks_lifted:8')
            else pg_temp.weighed('hold' || n, 'none:90 lifted:6 overlapping:4') end as hold
    from base)
select plan.*
from usual u
left join (values
    (481, '{"stage": "review", "hold": "open", "since": 90}'::jsonb),
    (482, '{"stage": "reporting", "hold": "overlapping", "since": 30}'),
    (483, '{"stage": "implementation", "hold": "publication", "since": 120}'),
    (484, '{"stage": "implementation", "hold": "dissemination", "since": 150}'),
    (485, '{"stage": "set_up", "hold": "open", "since": 40}'),
    (486, '{"stage": "evaluation", "hold": "tracks_lifted", "publish": "learning_summary", "since": 60}'),
    (487, '{"stage": "closed", "closure": "completed", "again": ["implementation"],
        "again_reason": "fai_determination", "publish": "executive_summary", "since": 50}'),
    (488, '{"stage": "closed", "closure": "did_not_proceed", "again_reason": "new_information",
        "again": ["information_gathering", "recommendation"], "since": 12}'),
    (489, '{"stage": "closed", "closure": "completed", "again": ["reporting", "ratification"],
        "again_reason": "proceedings_ended", "publish": "full_report", "since": 18}'),
    (490, '{"stage": "closed", "closure": "did_not_proceed", "again": ["decision"], "again_reason": "error",
        "since": 10}'),
    (491, '{"stage": "closed", "closure": "completed", "again": ["implementation", "evaluation", "closed"],
        "again_reason": "new_information", "publish": "not_published"}'),
    (492, '{"stage": "closed", "closure": "discontinued", "stopped": "review", "again": ["set_up"],
        "again_reason": "proceedings_ended", "since": 20}'),
    (493, '{"stage": "closed", "closure": "discontinued", "stopped": "notification"}'),
    (494, '{"stage": "closed", "closure": "discontinued", "stopped": "information_gathering"}'),
    (495, '{"stage": "closed", "closure": "discontinued", "stopped": "recommendation"}'),
    (496, '{"stage": "closed", "closure": "discontinued", "stopped": "set_up"}'),
    (497, '{"stage": "closed", "closure": "discontinued", "stopped": "review", "gone": 4}'),
    (498, '{"stage": "closed", "closure": "discontinued", "stopped": "reporting"}'),
    (499, '{"stage": "closed", "closure": "discontinued", "stopped": "ratification"}'),
    (500, '{"stage": "closed", "closure": "discontinued", "stopped": "implementation"}'),
    (501, '{"stage": "closed", "closure": "discontinued", "stopped": "evaluation"}'),
    (502, '{"stage": "decision", "decides": "more_information", "since": 9}'),
    (503, '{"stage": "decision", "since": 16}'),
    (504, '{"stage": "decision", "decides": "proceed", "since": 8}'),
    (505, '{"stage": "information_gathering", "asked_twice": true, "since": 40}'),
    (506, '{"stage": "review", "transfer": "accepted", "partner": "EDH", "since": 45}'),
    (507, '{"stage": "set_up", "transfer": "proposed", "partner": "REN", "since": 22}'),
    (508, '{"stage": "recommendation", "transfer": "refused", "partner": "SLK", "since": 15}'),
    (509, '{"stage": "reporting", "transfer": "withdrawn", "partner": "NLK", "since": 33}'),
    (510, '{"stage": "notification", "committee": "EDH", "transfer": "proposed", "partner": "GLA", "since": 6}'),
    (511, '{"stage": "review", "committee": "EDH", "review_type": "joint", "partner": "GLA", "since": 70}'),
    (512, '{"stage": "reporting", "review_type": "joint", "partner": "EDH", "report_changed": true, "since": 21}'),
    (513, '{"stage": "review", "review_type": "thematic", "since": 60}'),
    (514, '{"stage": "closed", "closure": "merged", "into_n": 513, "gone": 30}'),
    (515, '{"stage": "closed", "closure": "merged", "into_n": 513, "gone": 24}'),
    (516, '{"stage": "closed", "closure": "completed", "publish": "removed", "gone": 500}'),
    (517, '{"stage": "closed", "closure": "alternative_completed", "gone": 200}'),
    (518, '{"stage": "closed", "closure": "did_not_proceed", "gone": 3900}'),
    (519, '{"stage": "closed", "closure": "did_not_proceed", "gone": 4000, "legal_hold": "public_inquiry"}'),
    (520, '{"stage": "closed", "closure": "did_not_proceed", "gone": 4100}')
) shown(n, plan) using (n)
cross join lateral jsonb_populate_record(null::pg_temp.demo_plan, case
    when u.n <= 480 then to_jsonb(u) || jsonb_build_object('again_reason', pg_temp.weighed('again for' || u.n,
        'new_information:50 proceedings_ended:25 fai_determination:15 error:10'))
    else jsonb_build_object('n', u.n, 'key', u.key, 'committee', 'GLA', 'closure', u.closure, 'alternative', false,
        'asked_twice', false, 'report_changed', false, 'review_type', 'single', 'decides', 'undecided', 'stopped',
        u.stopped, 'again', '[]'::jsonb, 'hold', 'none', 'publish', u.publish, 'transfer', 'none', 'since', 25)
        || shown.plan end) plan;
update demo_case set partner = pg_temp.other_committee('partner' || n, committee)
    where partner is null and (transfer <> 'none' or review_type = 'joint');
update demo_case set transfer = 'refused' where transfer = 'proposed' and stage = 'closed' and again = '{}';

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
        when c.stage = 'reporting' and c.report_changed then before || after[1:5]
        when c.stage <> 'closed' then before || after[1:array_position(after, c.stage)]
        when c.closure = 'completed' then before || after || text 'closed'
        when c.closure = 'did_not_proceed' then before || text 'closed'
        when c.closure = 'alternative_completed' then before || text 'review' || text 'closed'
        when c.closure = 'merged' then before[1:2] || text 'closed'
        else (before[1:4] || after)[1:array_position(before[1:4] || after, c.stopped)] || text 'closed' end
        || c.again
    from parts
$$;

-- How many days a stage took, and how many days a case has been in its present stage.
create temporary table demo_stage on commit drop as
with usual(stage, lowest, highest, now_highest) as (values
    ('notification', 1, 8, 10), ('information_gathering', 7, 30, 22), ('recommendation', 4, 24, 18),
    ('decision', 2, 24, 20), ('set_up', 10, 48, 36), ('review', 70, 210, 150), ('reporting', 30, 100, 75),
    ('ratification', 9, 50, 40), ('implementation', 150, 480, 420), ('evaluation', 90, 400, 430),
    ('closed', 60, 300, 0)),
step as materialized (
    select c.n, c.gone, s.sequence, s.stage, s.sequence = cardinality(way) as last,
        case when s.sequence < cardinality(way) then pg_temp.whole('took' || c.n || '.' || s.sequence, lowest,
                highest)
            when s.stage = 'closed' then 0
            else coalesce(c.since, pg_temp.whole('since' || c.n, 0, now_highest)) end as days
    from demo_case c
    cross join lateral pg_temp.way_of(c) way
    cross join unnest(way) with ordinality s(stage, sequence)
    join usual u on u.stage = s.stage),
final as materialized (
    select n, case when max(stage) filter (where last) <> 'closed'
            then today() - max(days) filter (where last)
        when max(gone) is not null then today() - max(gone)
        else date '2015-02-02' + sum(days)::integer + floor(power(pg_temp.share('ended' || n), 0.8)
            * greatest(today() - date '2015-02-02' - sum(days), 1))::integer end as entered
    from step group by n)
select step.n, step.sequence::integer, step.stage, step.last,
    pg_temp.weekday(final.entered - coalesce(sum(days) filter (where not step.last) over later, 0)::integer)
        as entered_on
from step join final using (n)
window later as (partition by step.n order by step.sequence rows between current row and unbounded following);

-- Each stay in a stage with the stages before and after it; until: the day on which the case left it, or today.
create temporary table demo_visit on commit drop as
select n, sequence, stage, entered_on, lead(entered_on) over visits as left_on,
    coalesce(lead(entered_on) over visits, today()) as until, lead(stage) over visits as next,
    lag(stage) over visits as before, last,
    row_number() over (partition by n, stage order by sequence) as turn,
    row_number() over (partition by n, stage order by sequence desc) = 1 as latest
from demo_stage
window visits as (partition by n order by sequence);
create index on demo_visit (n, stage);
analyze demo_visit;

-- The case as a whole. origin: the committee that opened it; plan_from: when its actions were made.
create temporary table demo_head on commit drop as
select c.n, c.key, c.committee, case when c.transfer = 'accepted' then c.partner else c.committee end as origin,
    c.stage as first_stage, c.closure as first_closure, c.alternative, c.review_type, c.decides, c.stopped, c.again,
    c.again_reason, c.hold, c.publish, c.transfer, c.partner, c.legal_hold, c.into_n,
    v1.entered_on as opened_on, l.stage, l.entered_on as stage_entered_on,
    case when l.stage = 'closed' then case when c.again = '{}' then c.closure else 'completed' end end as closure,
    plan.entered_on as plan_from, own.code as local_authority, first_area.code as first_area,
    pg_temp.id_of(c.key, pg_temp.instant(c.key, v1.entered_on)) as id,
    pg_temp.instant(c.key, v1.entered_on) as opened_at,
    -- the day on which the case changed hands, or on which that was proposed
    case when c.transfer <> 'none' then pg_temp.between(c.key || 'handed', v1.entered_on,
        least(today(), l.entered_on, v1.entered_on + 30)) end as handed_on,
    exists (select from demo_visit v where v.n = c.n and v.stage = 'set_up') as proceeded
from demo_case c
join demo_visit v1 on v1.n = c.n and v1.sequence = 1
join demo_visit l on l.n = c.n and l.last
left join lateral (
    select min(v.entered_on) as entered_on from demo_visit v
    where v.n = c.n and v.stage in ('reporting', 'implementation')) plan on true
cross join lateral (
    select code from local_authority a where a.committee = c.committee
    order by pg_temp.share('area' || c.n || a.code) limit 1) own
cross join lateral (
    select code from local_authority a
    where a.committee = case when c.transfer = 'accepted' then c.partner else c.committee end
    order by pg_temp.share('area' || c.n || a.code) limit 1) first_area;
alter table demo_head add reference text, add organisation text;
update demo_head h set organisation = 'CPC-' || committee, reference = format('LR-%s-%s-%s',
        extract(year from opened_on), origin, lpad(r.place::text, 4, '0'))
    from (select n, row_number() over (partition by origin, extract(year from opened_on) order by opened_on, n)
        as place from demo_head) r
    where r.n = h.n;
create unique index on demo_head (n);
analyze demo_head;

-- The decisions: one for each stay in the stage decision that brought one. visit: the sequence of that stay.
create temporary table demo_decision on commit drop as
with decided as (
    select h.n, h.key, h.committee, v.sequence as visit, v.until, v.left_on,
        case v.next when 'set_up' then 'proceed' when 'review' then 'alternative_review'
            when 'closed' then 'do_not_proceed' when 'information_gathering' then 'more_information'
            else h.decides end as outcome,
        pg_temp.between(h.key || 'decided' || v.sequence, v.entered_on, v.until) as decided_on
    from demo_head h join demo_visit v on v.n = h.n and v.stage = 'decision')
select *, row_number() over latest = 1 as current, row_number() over (partition by n order by visit) as place,
    n || ' decision ' || visit as its_key
from decided where outcome <> 'undecided'
window latest as (partition by n order by visit desc);

-- The outcome of the case: null once more information is gathered.
alter table demo_head add outcome text;
update demo_head h set outcome = d.outcome from demo_decision d
    where d.n = h.n and d.current and not exists (select from demo_visit v
        where v.n = h.n and v.stage = 'information_gathering' and v.sequence > d.visit);

-- The time that each stay was allowed, fixed when the case entered the stage.
create temporary table demo_due on commit drop as
select v.*, w.committee, t.amount, t.unit, due
from demo_visit v
join demo_head h using (n)
cross join lateral (select case when v.entered_on < h.handed_on then h.origin else h.committee end
    as committee) w
left join lateral stage_timescale(v.stage, w.committee, v.entered_on) t on true
left join lateral due_date(v.entered_on, t.amount, t.unit, w.committee) due on true;
