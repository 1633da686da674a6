-- Cases on which other organisations work too, and cases that changed hands.

insert into case_access (id, committee, case_id, organisation, client, role, starts_on, ends_on, ended_on, created_at,
    updated_at, version)
select pg_temp.id_of(its_key, made), committee, case_id, organisation, client, role, starts_on, ends_on, ended_on, made,
    greatest(made, pg_temp.instant(its_key || 'ended', ended_on)), 1 + (ended_on is not null)::integer
from (
    -- reviewers, from their appointment until the report is with the chief officers
    select t.id::text as its_key, t.committee, t.case_id, t.organisation, t.client, 'reviewer' as role,
        t.appointed_on as starts_on, t.appointed_on + 540 as ends_on, v.entered_on as ended_on
    from team_member t
    join demo_head h on h.id = t.case_id
    left join demo_visit v on v.n = h.n and v.stage in ('ratification', 'closed') and v.sequence = (
        select min(x.sequence) from demo_visit x where x.n = h.n and x.stage in ('ratification', 'closed')
            and x.entered_on > t.appointed_on)
    where t.client is not null
    union all
    select h.key || ' joint', h.committee, h.id, 'CPC-' || h.partner, null, 'joint_committee', h.opened_on, null,
        case when h.stage = 'closed' then h.stage_entered_on end
    from demo_head h where h.review_type = 'joint'
    union all
    select p.its_key || ' liaison', p.committee, p.id, case p.contact_with
            when 'police' then pg_temp.police_of(p.committee) when 'prosecution' then 'COPFS' else 'SCRA' end,
        null, 'proceedings_liaison', p.contact_on, null, p.ended_on
    from demo_proceeding p
    where p.contact_with <> 'other' and p.contact_on <= coalesce(p.ended_on, 'infinity')
        and pg_temp.share(p.its_key || 'liaison') < 0.7) a
cross join lateral (select pg_temp.instant(its_key, starts_on) as made) m;

insert into case_transfer (id, committee, case_id, case_reference, from_committee, to_committee, reason, note, status,
    proposed_on, decided_on, answer, created_at, updated_at, version)
select pg_temp.id_of(its_key, made), committee, id, reference, origin,
    case when transfer = 'accepted' then committee else partner end,
    pg_temp.weighed(its_key || 'why', 'child_moved:60 other_area_leads:25 wrong_area:15'),
    case when pg_temp.share(its_key || 'note') < 0.4 then 'The family lives in the other area now.' end, transfer,
    proposed_on, decided_on, case transfer when 'refused' then 'Most of the services involved are in the first area.'
        when 'withdrawn' then 'The family moved back.' end,
    made, greatest(made, pg_temp.instant(its_key || 'decided', decided_on)), 1 + (decided_on is not null)::integer
from (
    select h.*, h.key || ' transfer' as its_key,
        case when h.transfer = 'proposed' then least(today(), h.stage_entered_on + 4)
            else h.handed_on end as proposed_on,
        case when h.transfer <> 'proposed' then case when h.transfer = 'accepted' then h.handed_on
            else least(today(), h.handed_on + 9) end end as decided_on
    from demo_head h where h.transfer <> 'none') t
cross join lateral (select greatest(opened_at, pg_temp.instant(its_key, proposed_on)) as made) m;
