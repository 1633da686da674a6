-- The remaining rows: delays, the remains of the oldest cases, and the record of all changes.

-- The content of the notices that were sent.
update notice n set content = notice_content(c, n) from review_case c where c.id = n.case_id and n.sent_on is not null;

-- Stages that took long have reasons; some of those that are late now have a revised due day.
update case_stage s set delay_reasons = array[pg_temp.weighed(s.id || 'delay', 'awaiting_agency_information:35
        parallel_proceedings:12 family_engagement:10 complexity:18 capacity:20 change_of_reviewer:5')],
    version = version + 1
    where due_on < coalesce(left_on, today()) and stage <> 'closed' and pg_temp.share(s.id || 'delays') < 0.5;
update case_stage s set revised_due_on = today() + pg_temp.whole(s.id || 'revised', 5, 40)
    where left_on is null and due_on < today() and held_since is null and cardinality(delay_reasons) > 0;
select count(case_clock_refresh(case_id)) from case_stage where revised_due_on is not null \g /dev/null

-- Some cases past their retention date are reduced to anonymous facts.
create temporary table demo_gone on commit drop as
select c.id from review_case c join demo_head h using (id)
where retain_until(c) < today() - 30 and not c.legal_hold and (h.n = 520 or h.n <= 480 and h.n % 3 = 0);
insert into anonymous_review (id, committee, facts, anonymised_on)
select pg_temp.id_of('gone ' || c.id, pg_temp.instant('gone', retain_until(c) + 20)), c.committee, anonymous_facts(c),
    retain_until(c) + 20
from review_case c where c.id in (select id from demo_gone);
delete from referral where case_id in (select id from demo_gone);
delete from review_case where id in (select id from demo_gone);

-- Other erasures are announced; the committee stopped one of them.
insert into erasure (id, committee, case_id, referral_id, reference, status, announced_on, announced_by, not_before,
    stopped_on, stopped_because, created_at, updated_at, version)
select pg_temp.id_of(e.id || ' erasure', e.at), e.committee, e.case_id, e.referral_id, e.reference,
    case when e.stopped then 'stopped' else 'announced' end, today() - 9, 'records-office', today() + 21,
    case when e.stopped then today() - 2 end, case when e.stopped then 'committee' end, e.at,
    e.at + case when e.stopped then interval '7 days' else '0' end, 1 + e.stopped::integer
from (
    (select c.id, c.committee, c.id as case_id, null::uuid as referral_id, c.reference,
        row_number() over (order by c.reference) > 1 as stopped, pg_temp.instant('erasure', today() - 9) as at
    from review_case c
    where c.committee = 'GLA' and c.merged_into is null and retain_until(c) < today() - 9 and not c.legal_hold
        and not exists (select from review_case x where x.merged_into = c.id)
    order by c.reference limit 2)
    union all
    (select r.id, r.committee, null, r.id, r.reference, false, pg_temp.instant('erasure', today() - 9)
    from referral r where r.committee = 'GLA' and referral_retain_until(r) < today() - 9
    order by r.reference limit 1)) e;

-- The first state of each row (members whose change is progress have their first value), and the change that led to its
-- present state. The trigger of a table has the name of its subject and those members.
create temporary table demo_change (committee text, case_id uuid, subject text, subject_id uuid, kind text,
    before jsonb, after jsonb, at timestamptz, organisation text) on commit drop;
create function pg_temp.write_changes() returns void language plpgsql as $$
declare
    technical constant text[] :=
        '{id,committee,case_id,version,created_at,updated_at,recorded_at,recorded_by,stage_due_or_never}';
    at_first constant jsonb := '{"information_request": "open", "action": "proposed", "transfer": "proposed",
        "erasure": "announced", "task": "open"}';
    t record;
begin
    for t in select c.relname as name, words[1] as subject, words[2:] as moving
            from pg_trigger g join pg_class c on c.oid = g.tgrelid
            cross join string_to_array(trim(trailing '\000' from encode(g.tgargs, 'escape')), '\000') words
            where g.tgname = 'record_change' and words[1] not in ('case', 'stage') loop
        execute format('insert into demo_change
            select r ->> ''committee'', (r ->> ''case_id'')::uuid, $1, coalesce(r ->> ''id'', r ->> ''case_id'')::uuid,
                step.kind, step.before, step.after, step.at,
                coalesce(r ->> ''recorded_by'', ''CPC-'' || (r ->> ''committee''))
            from (select to_jsonb(x) as r from %I x offset 0) rows
            cross join lateral (select r - $3 as whole, (r ->> ''updated_at'')::timestamptz as later,
                coalesce(r ->> ''created_at'', r ->> ''recorded_at'')::timestamptz as at offset 0) v
            cross join lateral (select case when later > at then whole - $2 || $4 else whole end as first offset 0) f
            cross join lateral (values (''created'', ''{}''::jsonb, first, at), (''changed'', first, whole, later))
                step(kind, before, after, at)
            where step.kind = ''created'' or later > v.at', t.name)
            using t.subject, t.moving, technical, case when at_first ? t.subject
                then jsonb_build_object('status', at_first ->> t.subject) else '{}' end;
    end loop;
end
$$;
select pg_temp.write_changes() \g /dev/null

-- The moves of a case between stages.
insert into demo_change
select s.committee, s.case_id, 'stage', s.id, step.kind, step.before, step.after, step.at, s.recorded_by
from case_stage s
cross join lateral (select jsonb_build_object('stage', s.stage, 'entered_on', s.entered_on, 'sequence', s.sequence,
    'amount', s.amount, 'unit', s.unit, 'original_due_on', s.original_due_on, 'due_on', s.original_due_on,
    'reason', s.reason, 'note', s.note, 'delay_reasons', '[]'::jsonb) as first) f
cross join lateral (values
    ('created', '{}'::jsonb, first, s.recorded_at),
    ('changed', first, first || jsonb_build_object('left_on', s.left_on, 'due_on', s.due_on, 'revised_due_on',
        s.revised_due_on, 'held_since', s.held_since, 'delay_reasons', s.delay_reasons), s.updated_at))
    step(kind, before, after, at);

insert into demo_change
select c.committee, c.id, 'case', c.id, case when s.before is null then 'created' else 'changed' end,
    coalesce(s.before, '{}'), case when s.before is null then jsonb_build_object('reference', c.reference,
        'local_authority', c.local_authority, 'review_type', c.review_type, 'guidance_edition', c.guidance_edition,
        'criteria', c.criteria, 'summary', c.summary, 'opened_on', c.opened_on, 'legal_hold', false,
        'clock_stopped', false) else '{}' end || s.after, s.recorded_at, s.recorded_by
from review_case c
join (
    select case_id, recorded_at, recorded_by, after, lag(after) over (partition by case_id order by sequence) as before
    from case_stage
    cross join lateral (select jsonb_build_object('stage', stage, 'stage_entered_on', entered_on, 'stage_due_on',
        original_due_on, 'original_due_on', original_due_on) as after) a) s on s.case_id = c.id;

insert into change (committee, case_id, subject, subject_id, kind, changes, recorded_at, recorded_by, recorded_client)
select d.committee, d.case_id, d.subject, d.subject_id, d.kind, c.changes, d.at, d.organisation, 'demo'
from demo_change d
cross join lateral (
    select jsonb_object_agg(a.key, jsonb_build_object('before', d.before -> a.key, 'after', a.value)) as changes
    from jsonb_each(d.after) a
    where a.value is distinct from coalesce(d.before -> a.key, 'null')) c
where c.changes is not null and d.case_id is not null
order by d.at, d.case_id, d.subject <> 'case', d.kind <> 'created', d.subject, d.subject_id;
