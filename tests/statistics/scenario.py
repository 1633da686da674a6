"""Adds data that the demonstration has little of: findings, ratified reports, holds, transfers, mergers, erased cases…

SQL makes it from the existing cases, with dates derived from the cases' own; nothing is random.
"""

STATEMENTS = """
create temporary table pick as
    select c.*, row_number() over (order by c.opened_on, c.id) as n,
        (select d.decided_on from case_decision d where d.case_id = c.id and d.current) as decided
    from review_case c where c.merged_into is null;
insert into information_request (id, committee, case_id, organisation, question, asked_on, due_on, status, answered_on,
        reason, recorded_by)
    select uuid_v7(), committee, id, case n % 3 when 0 then 'POL-G' when 1 then 'HB-S08000031' else 'LA-S12000049' end,
        'What do you know?', opened_on + 5, opened_on + 19,
        (array['answered', 'nothing_held', 'declined', 'waived', 'open', 'withdrawn'])[1 + n % 6],
        case when n % 6 < 3 then opened_on + 10 + (n % 20)::integer end,
        case when n % 6 in (2, 3, 5) then 'A reason.' end, 'CPC-' || committee
    from pick where opened_on < today() - 60;
insert into ratification (id, committee, case_id, stage_sequence, outcome, decided_on, reason, recorded_by)
    select uuid_v7(), committee, id, 8, case when n % 9 = 0 then 'changes_requested' else 'ratified' end,
        decided + 200 + (n % 150)::integer, case when n % 9 = 0 then 'More.' end, 'COG-' || committee
    from pick where n % 3 = 0 and decided < today() - 360;
insert into finding (id, committee, case_id, kind, statement, practice_area, themes, factors, recorded_by)
    select uuid_v7(), committee, id, case when (n + k) % 3 = 0 then 'effective_practice' else 'learning_point' end,
        'Something was learned.', 'information_sharing',
        (array['{information_sharing}', '{thresholds,child_voice}', '{planning_and_review}'])[1 + (n + k) % 3]::text[],
        (array['{neglect}', '{domestic_abuse,housing}', '{}'])[1 + (n + k) % 3]::text[], 'CPC-' || committee
    from pick, generate_series(1, 2) k where n % 3 = 0;
insert into family_engagement (id, committee, case_id, relation, invited_on, response, responded_on)
    select uuid_v7(), committee, id, case when n % 2 = 0 then 'child_or_young_person' else 'parent' end, opened_on + 40,
        case when n % 5 = 0 then 'declined' else 'took_part' end, opened_on + 50
    from pick where n % 4 = 0;
insert into publication (case_id, committee, form, decided_on, reason, reporting_restrictions_checked, family_told_on,
        practitioners_told_on, published_on, anonymisation_checked_on, anonymisation_checked_by, written_by, recorded_by)
    select id, committee, case when n % 2 = 0 then 'not_published' else 'learning_summary' end, decided + 360,
        case when n % 2 = 0 then 'A reason.' end, true, decided + 360, decided + 360,
        case when n % 2 = 1 then decided + 361 + (n % 200)::integer end, decided + 360, 'x', 'y', 'CPC-' || committee
    from pick where n % 3 = 0 and n % 7 > 1 and decided < today() - 600
    on conflict (case_id) do nothing;
insert into notice (id, committee, case_id, kind, recipient, to_organisation, due_on, snapshot, sent_on, method,
        recorded_by)
    select uuid_v7(), committee, id, 'outcome', 'care_inspectorate', 'CI', decided + 400, '{}',
        case when n % 5 > 0 then decided + 200 + (n % 150)::integer + (n % 4 * 3)::integer end,
        case when n % 5 > 0 then 'portal' end, 'CPC-' || committee
    from pick where n % 3 = 0 and n % 2 = 0 and decided < today() - 360
    on conflict do nothing;
insert into proceeding (id, committee, case_id, case_reference, kind, started_on, position, agreed_with, restrictions,
        permitted, exchanges, review_on, recorded_by)
    select uuid_v7(), committee, id, reference, case n % 2 when 0 then 'police_investigation' else 'complaint' end,
        opened_on, 'should_wait', '{}', '{}', '{}', '[]', opened_on + 90, 'CPC-' || committee
    from pick where n % 6 = 0 and stage = 'closed';
insert into case_hold (id, committee, case_id, proceeding_id, stages, tracks, held_from, reason, agreed_with, review_on,
        lifted_on, recorded_by)
    select uuid_v7(), c.committee, c.id, case when k = 1 then p.id end, case when k = 1 then '{review}' else '{}' end::text[],
        case when k = 1 then '{}' else '{publication}' end::text[], c.decided + 10 * k, 'interests_of_justice', '{police}',
        c.decided + 100, case when c.n % 4 < 3 then c.decided + 40 * k end, 'CPC-' || c.committee
    from pick c join proceeding p on p.case_id = c.id, generate_series(1, 2) k where c.decided is not null;
insert into impact_review (id, committee, case_id, action_id, reviewed_on, outcome, evidence, recorded_by)
    select uuid_v7(), a.committee, a.case_id, a.id, a.verified_on + 100 + 50 * (row_number() over (order by a.id) % 8)::integer,
        'achieved', 'Seen.', 'CPC-' || a.committee
    from action a where a.verified_on < today() - 500;
insert into case_access (id, committee, case_id, organisation, role, starts_on, ended_on)
    select uuid_v7(), committee, id, 'CPC-EDH', 'joint_committee', opened_on, case when n % 2 = 0 then today() end
    from pick where n % 11 = 0 and committee <> 'EDH';
-- Facts in an order that is rare: a hold that is open and began after the last ratification, a decision that followed
-- it, a referral that came after the decision.
insert into case_hold (id, committee, case_id, stages, tracks, held_from, reason, agreed_with, review_on, recorded_by)
    select uuid_v7(), committee, id, '{implementation}', '{}', today() - 1, 'interests_of_justice', '{police}',
        today() + 60, 'CPC-' || committee
    from pick where n % 15 = 3 and decided < today() - 400;
update ratification r set decided_on = p.decided - 5 from pick p
    where r.case_id = p.id and p.n % 45 = 6 and p.decided < today() - 400;
update review_case c set earliest_referral_received_on = p.decided + 5 from pick p
    where c.id = p.id and p.n % 17 = 1 and p.decided < today() - 10;
-- A decided case and an undecided one change hands; the latter is decided by its new committee.
insert into case_transfer (id, committee, case_id, case_reference, from_committee, to_committee, reason, status,
        proposed_on, decided_on)
    select uuid_v7(), committee, id, reference, committee, 'GLA', 'child_moved', 'accepted', opened_on,
        case when n % 2 = 0 then decided + 3 else decided - 1 end
    from pick where n % 13 = 0 and decided is not null and committee not in ('GLA', 'CLS');
update review_case set committee = 'GLA', local_authority = 'S12000049'
    where id in (select case_id from case_transfer where to_committee = 'GLA');
update referral set transferred_from = 'ABE' where committee = 'GLA' and id in (select id from referral
    where case_id is null and committee = 'GLA' order by id limit 3);
-- Two cases are merged; one of them continues.
with pair as (select min(id::text)::uuid as goes, max(id::text)::uuid as stays, committee
    from (select id, committee, row_number() over (partition by committee order by id) as i
        from review_case where stage = 'closed' and closure = 'completed') c
    where i <= 2 group by committee having count(*) = 2)
update review_case c set closure = 'merged', merged_into = p.stays from pair p where c.id = p.goes;
-- Some are erased, and still count.
create temporary table doomed as select c.id from review_case c where c.stage = 'closed' and c.merged_into is null
    and c.opened_on < '2021-01-01' and not c.legal_hold order by c.opened_on, c.id limit 40;
insert into anonymous_review (committee, facts, anonymised_on)
    select c.committee, anonymous_facts(c), today() from review_case c where c.id in (select id from doomed);
delete from referral where case_id in (select id from doomed
    union select id from review_case where merged_into in (select id from doomed));
delete from review_case where merged_into in (select id from doomed);
delete from review_case where id in (select id from doomed);
-- Some referrals that became no case are erased, too.
create temporary table doomed_referral as select r.id, r.committee from referral r
    where r.status in ('rejected', 'withdrawn') order by r.received_on, r.id limit 30;
update referral set (received_on, decided_on) = (received_on - 3700, decided_on - 3700)
    where id in (select id from doomed_referral);
insert into erasure (id, committee, referral_id, reference, announced_on, announced_by, not_before)
    select gen_random_uuid(), r.committee, r.id, r.reference, today() - 30, 'another client', today()
    from doomed_referral d join referral r using (id, committee);
select set_config('register.scopes', ' retention.write ', false);
select set_config('register.committee', d.committee, false),
    (referral_anonymise(d.id, null, json_build_object('reference', r.reference)::jsonb)).status
    from doomed_referral d join referral r using (id);
"""


def extend(cluster):
    cluster.execute(STATEMENTS)


RELEASES = [("2024", "2024-06-25", "2024-04-01"), ("2025", "2025-06-24", "2025-04-01"),
            ("2026", "2026-06-30", "2026-04-01")]


def make_release(cluster, name, day, covers_to):
    cluster.execute("select statistic_release_make(%s, %s, %s)", (name, day, covers_to))


def forget_releases(cluster):
    cluster.execute("truncate register.statistic_released_cell, register.statistic_release")
