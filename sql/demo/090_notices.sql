-- Notices: to all recipients that the register itself would name, with the content of that day.

create temporary table demo_notice on commit drop as
with told as (
    -- the decision, on its day; a notice that waits is not sent yet
    select d.n, h.key || ' told of ' || d.visit as its_key, 'decision' as kind, d.decided_on as made_on,
        d.decided_on as due_on, d.decided_on as from_day, least(d.until, d.decided_on + 9) as to_day,
        d.left_on is null and pg_temp.share(h.key || 'tells' || d.visit) < 0.6 as waits, d.visit,
        null::date as ratified_on, false as ended
    from demo_decision d join demo_head h using (n) where d.outcome <> 'more_information'
    union all
    select v.n, h.key || ' alternative ' || v.sequence, 'alternative_outcome', asked_on, asked_on + 7, asked_on,
        v.until, v.left_on is null and pg_temp.share(h.key || 'waits') < 0.5,
        v.sequence - 1, null, false
    from demo_visit v
    join demo_head h using (n)
    cross join lateral (select v.until - least(9, v.until - v.entered_on) as asked_on) a
    where v.stage = 'review' and v.before = 'decision'
        and (v.left_on is not null or pg_temp.share(h.key || 'alternative told') < 0.3)
    union all
    select r.n, r.its_key, 'outcome', r.decided_on, r.decided_on + 7, r.decided_on,
        least(today(), r.decided_on + 12), r.left_on is null and pg_temp.share(r.its_key || 'waits') < 0.6
            or h.stage = 'implementation' and pg_temp.share(r.its_key || 'waits') < 0.12, null, r.decided_on, false
    from demo_ratification r join demo_head h using (n) where r.outcome = 'ratified'
    union all
    select v.n, h.key || ' ended', 'discontinued', v.left_on, v.left_on, v.left_on, least(today(), v.left_on + 9),
        h.stage = 'closed' and pg_temp.share(h.key || 'end waits') < 0.15, null, null, true
    from demo_visit v join demo_head h using (n)
    where v.next = 'closed' and h.first_closure = 'discontinued' and v.stage = h.stopped)
select t.*, h.id as case_id, h.committee, h.opened_at, r.recipient, r.organisation, d.its_key as decision_key,
    d.decided_on, d.outcome, t.its_key || r.recipient || r.organisation as notice_key
from told t
join demo_head h using (n)
join review_case c on c.id = h.id
left join lateral (select * from demo_decision d where d.n = t.n and d.visit <= coalesce(t.visit, 1000)
    order by d.visit desc limit 1) d on true
cross join lateral notice_recipients(jsonb_populate_record(c, '{"decision_outcome": "proceed"}'), t.kind) r;
insert into demo_notice (n, its_key, kind, made_on, due_on, from_day, to_day, waits, visit, case_id, committee,
    opened_at, recipient, organisation, decision_key, decided_on, outcome, ended, notice_key)
select d.n, d.its_key, 'other_committee', d.decided_on, d.decided_on, d.decided_on, least(d.until, d.decided_on + 3),
    false, d.visit, h.id, h.committee, h.opened_at, 'other_committee', 'CPC-' || h.partner, d.its_key, d.decided_on,
    d.outcome, false, d.its_key || ' other'
from demo_decision d join demo_head h using (n) where h.review_type = 'joint' and d.outcome = 'proceed';

-- The content that the register would give a notice of each case now, as of that day.
create temporary table demo_told on commit drop as
select h.n, notice_snapshot(c) as says from demo_head h join review_case c on c.id = h.id
where exists (select from demo_notice x where x.n = h.n);

insert into notice (id, committee, case_id, decision_id, kind, recipient, to_organisation, due_on, snapshot, sent_on,
    method, withdrawn_on, observations_received_on, observations, created_at, updated_at, version, recorded_by)
select pg_temp.id_of(x.notice_key, m.made), x.committee, x.case_id, d.id, x.kind, x.recipient, x.organisation, x.due_on,
    t.says || jsonb_build_object('outcome', d.outcome, 'decided_on', d.decided_on, 'reasons', coalesce(d.reasons, '{}'),
        'criteria_met', coalesce(d.criteria_met, '{}'), 'alternative_kind', d.alternative_kind,
        'ratified_on', x.ratified_on, 'closed_on', case when x.ended then x.made_on end,
        'closure', case when x.ended then 'discontinued' end,
        'children', notice_children(c, x.recipient, x.organisation)),
    sent_on, case when sent_on is null then null else pg_temp.weighed(x.notice_key || 'by', case x.recipient
        when 'care_inspectorate' then 'portal:70 secure_mail:20 register:10'
        when 'referrer' then 'register:60 secure_mail:40' when 'chief_officers_group' then 'register:40
            secure_mail:30 in_person:30' else 'secure_mail:70 letter:20 register:10' end) end,
    null, o.day, case when o.day is not null then pg_temp.pick(x.notice_key || 'observes', array[
        'The reasons are clear. The report will be of interest to other areas.',
        'Please say in the report how the family was involved.']) end,
    m.made, greatest(m.made, pg_temp.instant(x.notice_key || 'sent', coalesce(o.day, sent_on))),
    1 + (sent_on is not null)::integer + (o.day is not null)::integer,
    case x.kind when 'outcome' then 'COG-' else 'CPC-' end || x.committee
from demo_notice x
join demo_told t using (n)
join review_case c on c.id = x.case_id
left join case_decision d on d.id = pg_temp.id_of(x.decision_key, greatest(x.opened_at,
    pg_temp.instant(x.decision_key, x.decided_on)))
cross join lateral (select case when not x.waits then case when pg_temp.share(x.notice_key || 'at once') < 0.6
    then x.from_day else pg_temp.between(x.notice_key || 'sent', x.from_day, x.to_day) end end as sent_on offset 0) s
left join lateral (select pg_temp.between(x.notice_key || 'observed', sent_on, least(today(), sent_on + 40)) as day
    where x.recipient = 'care_inspectorate' and pg_temp.share(x.notice_key || 'observed') < 0.2) o
    on sent_on is not null
-- created together with the event that they report
cross join lateral (select greatest(x.opened_at, case
    when x.kind in ('decision', 'other_committee') then pg_temp.instant(x.decision_key, x.decided_on)
    when x.kind = 'outcome' then pg_temp.instant(x.its_key, x.made_on)
    else pg_temp.instant(x.its_key || 'told', x.made_on) end) as made offset 0) m;

-- The notice to the National Hub is withdrawn if the child turns out to be alive.
insert into notice (id, committee, case_id, decision_id, kind, recipient, to_organisation, due_on, snapshot,
    withdrawn_on, created_at, updated_at, version, recorded_by)
select pg_temp.id_of(n.id::text, n.created_at), n.committee, n.case_id, n.decision_id, n.kind, 'national_hub', 'HIS',
    n.due_on, n.snapshot, n.due_on, n.created_at, n.created_at, 2, n.recorded_by
from notice n
where n.kind = 'decision' and n.recipient = 'care_inspectorate' and pg_temp.share(n.id::text || 'withdrawn') < 0.03
    and not exists (select from child k where k.case_id = n.case_id and k.outcome = 'died');
