-- Retention of closed cases and of referrals that never became a case, and the reasons that extend it.

-- Returns the last day on which a closed case is kept as it is; null while it is open.
create function retain_until(c review_case) returns date language sql stable as $$
    select retained_until(c.committee, c.closed_on)
$$;

-- Sets or lifts the legal hold of a case, which may be closed. Refuses with 422 a hold without a reason, or a reason
-- without a hold.
create function legal_hold_set(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    c review_case := case_lock(p_id, expected);
    held boolean := (input ->> 'in_force')::boolean;
begin
    perform refuse_faults(
        case when held and input ->> 'reason' is null then
            fault('/reason', 'reason_required', 'is required while the hold is in force') end,
        case when not held and input ->> 'reason' is not null then
            fault('/reason', 'only_while_held', 'is only allowed while the hold is in force') end);
    update review_case set legal_hold = held, legal_hold_reason = input ->> 'reason'
        where id = c.id returning * into c;
    return (200, c.version, null, case_document(c, '{}'))::reply;
end
$$;

-- Returns the month of a day as YYYY-MM; null for null.
create function month_of(day date) returns text language sql stable as $$
    select to_char(day, 'YYYY-MM')
$$;

-- Returns the case and those merged into it: their parts count once, with the case that continues.
create function case_with_merged(p_case uuid) returns uuid[] language plpgsql stable as $$
begin
    return p_case || array(select c.id from review_case c where c.merged_into = p_case);
end
$$;

-- Returns the committee that decided about the case, where it counts even if it was transferred later; its own
-- committee while nothing is decided. Runs as the owner: a caller who may reduce a case to its facts may not read
-- transfers.
create function deciding_committee(c review_case) returns text
language plpgsql stable security definer set search_path from current as $$
begin
    return coalesce((select t.from_committee
        from case_transfer t join case_decision d on d.case_id = t.case_id and d.current
        where t.case_id = c.id and t.status = 'accepted' and (t.decided_on > d.decided_on
            or t.decided_on = d.decided_on and t.updated_at > d.recorded_at)
        order by t.decided_on, t.updated_at limit 1), c.committee);
end
$$;

-- Returns the committees that carry out, or carried out, a joint review with the deciding one. An ended access counts,
-- because the review remains joint, unless it ended on its first day and was a mistake. Runs as the owner: accesses are
-- hidden from some callers who count cases.
create function joint_committees(c review_case) returns text[]
language plpgsql stable security definer set search_path from current as $$
begin
    return array(select distinct o.committee from case_access a join organisation o on o.code = a.organisation
        where a.case_id = c.id and a.role = 'joint_committee'
            and (a.ended_on is null or a.ended_on > a.starts_on) and o.committee <> deciding_committee(c)
        order by 1);
end
$$;

-- Returns the children of a case by the facts that statistics count, in random order.
create function anonymous_children(p_case uuid) returns jsonb language plpgsql stable as $$
begin
    return (select coalesce(jsonb_agg(jsonb_build_object('outcome', k.outcome, 'age_band', k.age_band, 'sex', k.sex,
            'ethnic_group', k.ethnic_group, 'disability', k.disability, 'legal_status', k.legal_status,
            'register_status', k.register_status, 'cause_of_death_group', k.cause_of_death_group,
            'harm_types', k.harm_types) order by random()), '[]')
        from child k where k.case_id = p_case);
end
$$;

-- Returns the actions of a case and those merged into it by the facts that statistics count, in random order: months
-- instead of days, kinds instead of organisations.
create function anonymous_actions(p_case uuid) returns jsonb language plpgsql stable as $$
begin
    return (select coalesce(jsonb_agg(jsonb_build_object('owner_kind', organisation_kind(a.owner_organisation),
            'themes', a.themes, 'scope', a.scope, 'status', a.status, 'due_month', month_of(a.original_due_on),
            'completed_month', month_of(a.completed_on),
            'year_after_verification', month_of((a.verified_on + interval '1 year')::date),
            'impact_in_year', exists (select from impact_review i where i.action_id = a.id
                and i.reviewed_on <= a.verified_on + interval '1 year'),
            'on_time', a.completed_on <= a.original_due_on, 'slippage_days', a.due_on - a.original_due_on,
            'days_late', a.completed_on - a.original_due_on,
            'impact_reviewed', a.impact_reviewed_on is not null) order by random()), '[]')
        from action a where a.case_id = any (case_with_merged(p_case)));
end
$$;

-- Returns the referrals of a case by kind of sender and month, in random order.
create function anonymous_referrals(p_case uuid) returns jsonb language plpgsql stable as $$
begin
    return (select coalesce(jsonb_agg(jsonb_build_object('source_kind', organisation_kind(r.source_organisation),
            'received_month', month_of(r.received_on), 'transferred_from', r.transferred_from)
            order by random()), '[]')
        from referral r where r.case_id = p_case);
end
$$;

-- Returns the information requests of a case and those merged into it by kind of organisation, month and timeliness, in
-- random order.
create function anonymous_information(p_case uuid) returns jsonb language plpgsql stable as $$
begin
    return (select coalesce(jsonb_agg(jsonb_build_object('kind', organisation_kind(i.organisation),
            'due_month', month_of(i.due_on), 'status', i.status, 'on_time', i.answered_on <= i.due_on)
            order by random()), '[]')
        from information_request i where i.case_id = any (case_with_merged(p_case)));
end
$$;

-- Returns the holds of a case and those merged into it by kind of proceedings, month and length, in random order.
create function anonymous_holds(p_case uuid) returns jsonb language plpgsql stable as $$
begin
    return (select coalesce(jsonb_agg(jsonb_build_object('proceeding_kind', p.kind,
            'started_month', month_of(h.held_from), 'days', h.lifted_on - h.held_from) order by random()), '[]')
        from case_hold h left join proceeding p on p.id = h.proceeding_id
        where h.case_id = any (case_with_merged(p_case)));
end
$$;

-- Returns on how many days from `from_day` until before `to_day` holds stopped any stage of a case; a day held twice
-- counts once. An open hold counts up to `to_day`, and not at all if it began later.
create function days_held(p_case uuid, from_day date, to_day date) returns integer
language plpgsql stable as $$
begin
    return (select coalesce(sum(upper(run) - lower(run)), 0)
        from (select range_agg(daterange(h.held_from, coalesce(h.lifted_on, greatest(h.held_from, to_day))))
                * datemultirange(daterange(from_day, greatest(from_day, to_day))) as days
            from case_hold h where h.case_id = p_case and cardinality(h.stages) > 0) held, unnest(days) run);
end
$$;

-- Returns the facts of a case that statistics count, and nothing that leads back to it: months instead of days, kinds
-- instead of organisations, no identifier, no text.
create function anonymous_facts(c review_case) returns jsonb language plpgsql stable as $$
declare
    d case_decision;
    p publication;
    ratified date := (select max(r.decided_on) from ratification r where r.case_id = c.id and r.outcome = 'ratified');
    completed date;
begin
    select * into d from case_decision x where x.case_id = c.id and x.current;
    select * into p from publication x where x.case_id = c.id;
    -- A re-opened case may have a decision later than its last ratification: then no review is completed.
    completed := case when ratified >= d.decided_on then ratified end;
    return jsonb_build_object(
        'guidance_edition', c.guidance_edition,
        'review_type', c.review_type,
        'criteria', c.criteria,
        'opened_month', month_of(c.opened_on),
        'decided_month', month_of(d.decided_on),
        'decision_outcome', d.outcome,
        'decision_reasons', coalesce(d.reasons, '{}'),
        'alternative_kind', d.alternative_kind,
        'deciding_committee', deciding_committee(c),
        'joint_committees', joint_committees(c),
        'decision_on_time', (select d.decided_on <= s.due_on from case_stage s
            where s.case_id = c.id and s.stage = 'decision' and s.sequence = d.visit),
        'days_to_decision', d.decided_on - case when c.earliest_referral_received_on <= d.decided_on
            then c.earliest_referral_received_on else c.opened_on end,
        'set_up_month', (select month_of(min(s.entered_on)) from case_stage s
            where s.case_id = c.id and s.stage = 'set_up'),
        'ratified_month', month_of(ratified),
        'days_to_complete', completed - d.decided_on,
        'days_to_complete_net', completed - d.decided_on - days_held(c.id, d.decided_on, completed),
        'closed_month', month_of(c.closed_on),
        'closure', c.closure,
        'children', anonymous_children(c.id),
        'referrals', anonymous_referrals(c.id),
        'information_requests', anonymous_information(c.id),
        'learning_themes', array(select distinct unnest(f.themes) from finding f
            where f.case_id = c.id and f.kind = 'learning_point' order by 1),
        'effective_themes', array(select distinct unnest(f.themes) from finding f
            where f.case_id = c.id and f.kind = 'effective_practice' order by 1),
        'factors', array(select distinct unnest(f.factors) from finding f where f.case_id = c.id order by 1),
        'family_took_part', exists (select from family_engagement e
            where e.case_id = c.id and e.response = 'took_part'),
        'child_took_part', exists (select from family_engagement e
            where e.case_id = c.id and e.response = 'took_part' and e.relation = 'child_or_young_person'),
        'publication_form', p.form,
        'published_month', month_of(p.published_on),
        'days_to_publication', case when p.published_on >= ratified then p.published_on - ratified end,
        'published_in_six_months', coalesce(p.published_on <= ratified + interval '6 months', false),
        'outcome_notices_on_time', (select coalesce(bool_and(coalesce(n.sent_on <= ratified + 7, false)), false)
            from notice n where n.case_id = c.id and n.kind = 'outcome' and n.withdrawn_on is null),
        'outcome_notice_days', (select max(n.sent_on) - ratified from notice n
            where n.case_id = c.id and n.kind = 'outcome'),
        'holds', anonymous_holds(c.id),
        'actions', anonymous_actions(c.id));
end
$$;

-- Erases a closed case of the caller's committee and those merged into it, past its retention date, without a legal
-- hold, and announced in time by another client. Refuses with 404 or 409. Runs as the owner: the service may delete
-- nothing. Needs cases.read, or the caller would count only part of the case.
create function case_erase(p_id uuid) returns void
language plpgsql security definer set search_path from current as $$
declare
    doomed uuid[] := array(select c.id from review_case c
        where p_id in (c.id, c.merged_into) and c.committee = claim('committee') order by c.id for update);
begin
    -- Locks before it checks, so that it sees a legal hold that was set in between.
    if not (has_scope('retention.write') and has_scope('cases.read')) or exists (
            select from review_case c where c.id = any (doomed)
            and (c.legal_hold or c.closed_on is null or retain_until(c) >= today())) then
        perform refuse(404, 'not_found');
    end if;
    perform erasure_refuse_early(p_id, null);
    delete from referral r where r.case_id = any (doomed);
    delete from review_case c where c.id = any (doomed) and c.id <> p_id;
    delete from review_case c where c.id = p_id and c.id = any (doomed);
end
$$;

-- The document of the facts that remain of an erased case.
create function anonymous_document(a anonymous_review) returns json language sql stable as $$
    select json_build_object('id', a.id, 'committee', a.committee, 'anonymised_on', a.anonymised_on, 'facts', a.facts)
$$;

-- Refuses with 409 if the case or one merged into it must be kept: it is open, before its retention date, merged into
-- another, or under a legal hold. Refuses with 422 if the request does not repeat the reference.
create function case_refuse_kept(c review_case, input jsonb) returns void language plpgsql as $$
begin
    if c.closed_on is null then
        perform conflict('case_open', 'The case is open.');
    end if;
    if exists (select from review_case x where c.id in (x.id, x.merged_into) and retain_until(x) >= today()) then
        perform conflict('before_retention_date', 'The case must be kept until its retention date.');
    end if;
    if c.merged_into is not null then
        perform conflict('case_merged', 'The case is erased with the case that it was merged into.');
    end if;
    if exists (select from review_case x where c.id in (x.id, x.merged_into) and x.legal_hold) then
        perform conflict('legal_hold', 'A legal hold is in force.');
    end if;
    perform refuse_faults(case when input ->> 'reference' <> c.reference then
        fault('/reference', 'reference_differs', 'is not the reference of the case') end);
end
$$;

-- Reduces a case to its anonymous facts (201), once another client announced it. The caller must repeat the reference,
-- because this cannot be reversed. Refuses as case_lock, case_refuse_kept and erasure_refuse_early do.
create function case_anonymise(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    c review_case := case_lock(p_id, expected);
    a anonymous_review;
begin
    perform case_refuse_kept(c, input);
    perform erasure_refuse_early(c.id, null);
    insert into anonymous_review (committee, facts, anonymised_on)
        values (c.committee, anonymous_facts(c), today()) returning * into a;
    perform case_erase(p_id);
    return (201, null, '/v1/anonymous-reviews/' || a.id, anonymous_document(a))::reply;
end
$$;

-- The document of the facts that remain of an erased referral.
create function anonymous_referral_document(a anonymous_referral) returns json language sql stable as $$
    select json_build_object('committee', a.committee, 'transferred_from', a.transferred_from,
        'source_kind', a.source_kind, 'received_month', month_of(a.received_month), 'status', a.status,
        'reason', a.reason, 'anonymised_on', a.anonymised_on)
$$;

-- Refuses with 409 a referral that is open, belongs to a case, or is before its retention date. Refuses with 422 if the
-- request does not repeat the reference.
create function referral_refuse_kept(r referral, input jsonb) returns void language plpgsql as $$
begin
    if not referral_ended_alone(r.status) then
        perform conflict('referral_not_ended', 'The referral is open, or it is erased with the case that it became.');
    end if;
    if referral_retain_until(r) >= today() then
        perform conflict('before_retention_date', 'The referral must be kept until its retention date.');
    end if;
    perform refuse_faults(case when input ->> 'reference' <> r.reference then
        fault('/reference', 'reference_differs', 'is not the reference of the referral') end);
end
$$;

-- Reduces a referral that never became a case to its anonymous facts (200), once another client announced it. The
-- caller must repeat the reference, because this cannot be reversed. Runs as the owner: the service may delete nothing.
create function referral_anonymise(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql security definer set search_path from current as $$
declare
    r referral;
    a anonymous_referral;
begin
    select * into r from referral x where x.id = p_id and x.committee = claim('committee')
        and has_scope('retention.write') for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, r.version);
    perform referral_refuse_kept(r, input);
    perform erasure_refuse_early(null, r.id);
    a.id := gen_random_uuid();
    a.committee := r.committee;
    a.transferred_from := r.transferred_from;
    a.source_kind := organisation_kind(r.source_organisation);
    a.received_month := first_of_month(r.received_on);
    a.status := r.status;
    a.reason := r.reason;
    a.anonymised_on := today();
    a := insert_row(a);
    delete from referral x where x.id = p_id;
    return (200, null, null, anonymous_referral_document(a))::reply;
end
$$;

-- Returns the state of a retention rule: withdrawn, pending until its first day, then begun.
create function retention_rule_state(r retention_rule) returns text language sql stable as $$
    select case when r.withdrawn_on is not null then 'withdrawn' when r.valid_from > today() then 'pending'
        else 'begun' end
$$;

-- The document of a retention rule; `committee` is null for the register's default.
create function retention_rule_document(r retention_rule) returns json language sql stable as $$
    select json_build_object(
        'id', r.id,
        'committee', r.committee,
        'months', r.months,
        'valid_from', r.valid_from,
        'status', retention_rule_state(r),
        'announced_on', r.announced_on,
        'withdrawn_on', r.withdrawn_on,
        'version', r.version,
        'etag', entity_tag(r.version),
        'links', json_build_object('self', '/v1/retention-rules/' || r.id))
$$;

-- Sets a retention rule of the caller's committee (201). Refuses with 403 any other caller, with 422 a first day within
-- the notice period, and with 409 a second rule from the same day.
create function retention_rule_set(input jsonb) returns reply language plpgsql as $$
declare
    r retention_rule := jsonb_populate_record(null::retention_rule, input);
begin
    perform refuse_unless_committee();
    perform refuse_faults(case when r.valid_from < notice_ends() then
        fault('/valid_from', 'before_notice_period', 'must not be before ' || notice_ends()
            || ', the end of the notice period that begins today') end);
    insert into retention_rule (id, committee, months, valid_from, announced_on)
        values (uuid_v7(), claim('committee'), r.months, r.valid_from, today())
        on conflict (committee, valid_from) where withdrawn_on is null do nothing
        returning * into r;
    if not found then
        perform conflict_at('/valid_from', 'rule_there_already', 'already has a rule');
    end if;
    return (201, r.version, '/v1/retention-rules/' || r.id, retention_rule_document(r))::reply;
end
$$;

-- Withdraws a rule that has not begun. Refuses with 404 the rule of another committee and the register's default, a
-- stale version as refuse_stale does, and with 409 a rule that has begun or was withdrawn.
create function retention_rule_withdraw(p_id uuid, expected bigint) returns reply language plpgsql as $$
declare
    r retention_rule;
begin
    select * into r from retention_rule where id = p_id;
    perform refuse_unless_found(found and may_move(to_jsonb(r), 'retention_rule', 'withdrawRetentionRule')
        and has_scope('retention.write'));
    perform refuse_stale(expected, r.version);
    perform refuse_move(r, 'retention_rule', 'withdrawRetentionRule', retention_rule_state(r));
    update retention_rule set withdrawn_on = today()
        where id = p_id and version = r.version and valid_from > today() and withdrawn_on is null returning * into r;
    if not found then -- another request withdrew it at the same time
        perform refuse_state('{}', 'retention_rule', 'withdrawRetentionRule', 'withdrawn');
    end if;
    return (200, r.version, null, retention_rule_document(r))::reply;
end
$$;
