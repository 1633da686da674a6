-- The items of a case that keep a guard from holding, for the guards that look at each of several items.

-- Returns the items that keep a guard from holding: the address of each, and a JSON pointer to the member that is missing
-- or wrong there (null if the item as a whole is). No row for a guard that does not look at single items.
create function blocking_items(c review_case, guard text) returns table (link text, pointer text)
language plpgsql stable as $$
declare
    self text := '/v1/cases/' || c.id;
begin
    return query
        select '/v1/referrals/' || r.id, '/acknowledged_on' from referral r
            where guard = 'referrers_acknowledged' and r.case_id = c.id and r.acknowledged_on is null
        union all select '/v1/information-requests/' || r.id, '/status' from information_request r
            where guard = 'information_returned' and r.case_id = c.id and r.status = 'open'
        union all select self || '/notices/' || n.id, '/sent_on' from notice n
            where n.case_id = c.id and notice_waits(n) and (guard, n.kind) in (('notices_sent', 'decision'),
                ('outcome_notified', 'outcome'), ('alternative_outcome_notified', 'alternative_outcome'))
        union all select self || '/family-engagements/' || e.id, '/response' from family_engagement e
            where guard = 'family_invitations_answered' and e.case_id = c.id and e.response is null
        union all select '/v1/proceedings/' || p.id, '/contact_made_on' from proceeding p
            where guard = 'prosecution_contacted' and p.case_id = c.id and p.ended_on is null
                and p.contact_made_on is null
        union all select '/v1/proceedings/' || p.id, '/ended_on' from proceeding p
            where guard = 'prosecution_consulted' and p.case_id = c.id and p.ended_on is null
        union all select '/v1/proceedings/' || r.proceeding_id, '/restrictions' from restrictions_in_force(c.id) r
            where guard = 'draft_unrestricted' and 'submission_to_chief_officers' = any (r.forbids)
        union all select self || '/holds/' || h.id, '/lifted_on' from case_hold h
            where guard = 'not_on_hold' and h.case_id = c.id and h.lifted_on is null and c.stage = any (h.stages)
        union all select '/v1/actions/' || a.id, '/status' from action a
            where guard = 'actions_ended' and a.case_id = c.id and not action_has_ended(a.status)
        union all select '/v1/actions/' || a.id, '/impact_reviewed_on' from action a
            where guard = 'impact_reviewed' and a.case_id = c.id and a.status = 'verified'
                and not impact_is_known(a.id)
        union all select self || '/children/' || k.id, '/national_hub_submitted_on' from child k
            where guard = 'hub_submitted' and k.case_id = c.id and k.outcome = 'died'
                and k.national_hub_submitted_on is null
        order by 1;
end
$$;

-- Returns the faults of a move that guards block: one for each guard, or for each item that keeps it from holding.
create function move_faults(c review_case, guards text[]) returns json language plpgsql stable as $$
begin
    return (select json_agg(json_build_object('pointer', null, 'rule', missing.code, 'message', missing.message,
            'link', missing.link))
        from (select g.code, g.message, i.link from guards_missing(c, guards) g
            left join lateral blocking_items(c, g.code) i on true limit 100) missing);
end
$$;

-- Returns the fault of a move that the case's stage does not have; it names the stages that can be reached.
create function not_a_transition_fault(c review_case) returns json language plpgsql stable as $$
declare
    reached text := (select string_agg(distinct t.to_stage, ', ') from stage_transition t
        where t.from_stage = c.stage and rules_apply(t.guidance, t.edition));
begin
    return json_build_object('pointer', '/to', 'rule', 'not_a_transition', 'message', format(
        'cannot be reached from the stage %s in this way; possible: %s', c.stage, reached),
        'link', '/v1/cases/' || c.id || '/transitions');
end
$$;
