-- Notices: the committee's reports to the chief officers, the inspectorate, the referrers and others.

-- Whether criminal proceedings, a fatal accident inquiry, or investigations towards them may be under way, by the
-- case's proceedings, referrals or answers of agencies. Guidance 2024, annex 2.
create function case_proceedings_live(c review_case) returns boolean language plpgsql stable as $$
declare
    kinds constant text[] :=
        '{police_investigation,criminal_prosecution,fatal_accident_inquiry,death_investigation}';
begin
    return exists (select from proceeding p where p.case_id = c.id and p.ended_on is null and p.kind = any (kinds))
        or exists (select from information_request r where r.case_id = c.id and r.criminal_proceedings)
        or exists (select from referral r where r.case_id = c.id and r.parallel_processes && kinds);
end
$$;

-- Whether the notice waits to be sent: it was neither sent nor withdrawn.
create function notice_waits(n notice) returns boolean language sql immutable as $$
    select n.sent_on is null and n.withdrawn_on is null
$$;

-- Returns the state of a notice for its moves: waiting, withdrawn, sent, or observed by the inspectorate.
create function notice_state(n notice) returns text language sql immutable as $$
    select case when n.withdrawn_on is not null then 'withdrawn' when n.sent_on is null then 'waiting'
        when n.observations is null then 'sent' else 'observed' end
$$;

-- Whether the notice waits to be sent and its due day has passed.
create function notice_is_overdue(n notice) returns boolean language sql stable as $$
    select n.due_on < today() and notice_waits(n)
$$;

-- The document of a notice. The identifier and link of the case are null for callers who do not work on it.
create function notice_document(n notice) returns json language sql stable as $$
    select json_build_object(
        'id', n.id,
        'case_id', case when knows_case(n.committee, n.case_id) then n.case_id end,
        'case_reference', n.snapshot ->> 'case_reference',
        'committee', n.committee,
        'kind', n.kind,
        'to', n.recipient,
        'to_organisation', n.to_organisation,
        'due_on', n.due_on,
        'overdue', notice_is_overdue(n),
        'sent_on', n.sent_on,
        'method', n.method,
        'withdrawn_on', n.withdrawn_on,
        'snapshot', n.snapshot,
        'observations_received_on', n.observations_received_on,
        'observations', n.observations,
        'created_at', rendered(n.created_at),
        'updated_at', rendered(n.updated_at),
        'version', n.version,
        'etag', entity_tag(n.version),
        'links', json_build_object(
            'self', '/v1/notices/' || n.id,
            'content', '/v1/notices/' || n.id || '/content',
            'case', case when knows_case(n.committee, n.case_id) then '/v1/cases/' || n.case_id end))
$$;

-- Returns the content of a notice about the case as it is now, without the children: codes and days, no free text.
create function notice_snapshot(c review_case) returns jsonb language plpgsql stable as $$
declare
    d case_decision := case_decision_in_force(c);
begin
    return jsonb_build_object(
        'case_reference', c.reference,
        'committee', c.committee,
        'review_type', c.review_type,
        'guidance_edition', c.guidance_edition,
        'opened_on', c.opened_on,
        'outcome', d.outcome,
        'decided_on', d.decided_on,
        'reasons', coalesce(d.reasons, '{}'),
        'criteria_met', coalesce(d.criteria_met, '{}'),
        'alternative_kind', d.alternative_kind,
        'ratified_on', case_ratified_on(c),
        'closed_on', c.closed_on,
        'closure', c.closure);
end
$$;

-- Whether a notice names the child: to a referrer those that it pushed, to the National Hub those who died, to all others
-- every child. A child keeps the reference of the referral that brought it, and that reference belongs to one sender.
create function notice_names_child(k child, p_recipient text, p_organisation text) returns boolean
language plpgsql stable as $$
begin
    return case p_recipient
        when 'national_hub' then k.outcome = 'died'
        when 'referrer' then exists (select from referral r where r.case_id = k.case_id
            and r.source_organisation = p_organisation
            and r.children @> jsonb_build_array(jsonb_build_object('child_ref', k.child_ref)))
        else true end;
end
$$;

-- Returns the children that a notice names, by their bands.
create function notice_children(c review_case, p_recipient text, p_organisation text) returns jsonb
language plpgsql stable as $$
begin
    return (select coalesce(jsonb_agg(child_bands(k) order by k.id), '[]')
        from child k where k.case_id = c.id and notice_names_child(k, p_recipient, p_organisation));
end
$$;

-- Whether a child of the case is or was in the processes of the children's reporter: by its legal status, the case's
-- proceedings or a referral. Guidance 2024, changes to the edition of 2021.
create function case_knows_reporter(c review_case) returns boolean language plpgsql stable as $$
begin
    return exists (select from child k where k.case_id = c.id and k.legal_status in
            ('compulsory_supervision_order', 'child_protection_order', 'looked_after_home', 'secure'))
        or exists (select from proceeding p where p.case_id = c.id and p.kind = 'childrens_hearing')
        or exists (select from referral r where r.case_id = c.id
            and 'childrens_hearing' = any (r.parallel_processes));
end
$$;

-- Returns the recipients of a kind of notice: chief officers, inspectorate and referrers always; National Hub for a
-- death, COPFS for a death or live proceedings, SCRA for a child that its processes know. No row if the decision only
-- asks for more information. Care Inspectorate, learning reviews, 2024; Guidance 2024, chapter 2 and annex 2.
create function notice_recipients(c review_case, kind text)
returns table (recipient text, organisation text) language plpgsql stable as $$
declare
    died boolean := exists (select from child k where k.case_id = c.id and k.outcome = 'died');
begin
    if kind = 'decision' and c.decision_outcome = 'more_information' then
        return; -- the committee has not reached a conclusion that others must know
    end if;
    return query
        select 'chief_officers_group', o.code from organisation o where o.area = c.committee
        union all
        select 'care_inspectorate', 'CI'
        union all
        select distinct 'referrer', r.source_organisation from referral r where r.case_id = c.id
        union all
        select 'national_hub', 'HIS' where died and kind in ('decision', 'outcome')
        union all
        select 'copfs', 'COPFS' where kind = 'decision' and (died or case_proceedings_live(c))
        union all
        select 'scra', 'SCRA' where kind = 'decision' and case_knows_reporter(c);
end
$$;

-- Whether the recipient of a sent notice has not the present content: it received another notice of the kind later, or
-- a section has changed since.
create function notice_has_news(n notice) returns boolean language plpgsql stable as $$
begin
    return coalesce(n.content::text <> notice_content_now(n.id)::text, false) or exists (select from notice o
        where o.case_id = n.case_id and o.kind = n.kind and o.recipient = n.recipient
            and o.to_organisation = n.to_organisation and o.sent_on is not null and o.id > n.id);
end
$$;

-- Makes one notice, unless a notice with the same content was already sent; `corrects` compares all sections, with the
-- reason `why`. A notice that waits to be sent is updated to the present content.
create function notice_make(c review_case, p_kind text, p_recipient text, p_organisation text, due date,
    corrects boolean default false, why text default null) returns void language plpgsql as $$
declare
    says jsonb := notice_snapshot(c) || jsonb_build_object('children', notice_children(c, p_recipient, p_organisation));
    decision uuid := (case_decision_in_force(c)).id;
    made notice;
begin
    update notice n set due_on = due, snapshot = says, decision_id = decision
        where n.case_id = c.id and n.kind = p_kind and n.recipient = p_recipient
            and n.to_organisation = p_organisation and notice_waits(n)
            and (n.due_on, n.snapshot, n.decision_id) is distinct from (due, says, decision);
    if exists (select from notice n where n.case_id = c.id and n.kind = p_kind
            and n.recipient = p_recipient and n.to_organisation = p_organisation
            and (notice_waits(n) or n.sent_on is not null and n.snapshot = says
                and n.decision_id is not distinct from decision
                and not (corrects and notice_has_news(n)))) then
        return;
    end if;
    made.id := uuid_v7();
    made.committee := c.committee;
    made.case_id := c.id;
    made.decision_id := decision;
    made.kind := p_kind;
    made.recipient := p_recipient;
    made.to_organisation := p_organisation;
    made.due_on := due;
    made.snapshot := says;
    made.correction_reason := why;
    made.recorded_by := claim('organisation');
    perform insert_row(made);
end
$$;

-- Makes the notices of a kind for all its recipients, and withdraws unsent ones that are no longer needed. Functions
-- that cause a reportable event call it.
create function notices_make(c review_case, kind text, due date, corrects boolean default false,
    why text default null) returns void language plpgsql as $$
begin
    perform notice_make(c, notices_make.kind, r.recipient, r.organisation, due, corrects, why)
        from notice_recipients(c, notices_make.kind) r;
    update notice n set withdrawn_on = today()
        where n.case_id = c.id and n.kind = notices_make.kind and notice_waits(n)
            and not exists (select from notice_recipients(c, notices_make.kind) r
                where r.recipient = n.recipient and r.organisation = n.to_organisation);
end
$$;

-- Returns the recipients of decision notices who have received none about the current decision, because facts recorded
-- later call for them. Recipients already notified of this decision are not notified again.
create function decision_late_recipients(c review_case) returns table (recipient text, organisation text)
language plpgsql stable as $$
begin
    return query
        select r.recipient, r.organisation from notice_recipients(c, 'decision') r
        where c.decision_outcome is not null and not exists (select from notice n
            join case_decision d on d.id = n.decision_id and d.current
            where n.case_id = c.id and n.kind = 'decision' and n.recipient = r.recipient
                and n.to_organisation = r.organisation and n.sent_on is not null);
end
$$;

-- Makes the decision notices that facts recorded later call for; none before the decision or after closing. Runs as the
-- owner: a caller who records proceedings or answers a request may not see every fact of a notice.
create function decision_notify_late_recipients(p_case uuid) returns void
language plpgsql security definer set search_path from current as $$
declare
    c review_case;
begin
    select * into c from review_case where id = p_case;
    if c.decision_outcome is null or c.stage = 'closed' then
        return;
    end if;
    perform notice_make(c, 'decision', u.recipient, u.organisation, coalesce((select n.due_on from notice n
            where n.case_id = c.id and n.kind = 'decision' and n.recipient = u.recipient
                and n.to_organisation = u.organisation and notice_waits(n)), today()))
        from decision_late_recipients(c) u;
end
$$;

-- Returns the fault that blocks a request for notices of this kind: wrong stage, report not ratified, or notices that
-- wait to be sent. Null if nothing blocks it.
create function notice_blocker(c review_case, kind text, organisation text) returns json
language plpgsql stable as $$
begin
    if kind = 'alternative_outcome' and not (c.stage = 'review' and guard_decided_alternative_review(c)) then
        return fault('/kind', 'not_in_alternative_review',
            'is only allowed for an alternative review in the stage review');
    end if;
    if kind = 'outcome' and case_ratified_on(c) is null then
        return fault('/kind', 'report_not_ratified', 'is only allowed for a case with a ratified report');
    end if;
    if exists (select from notice n where n.case_id = c.id and n.kind = notice_blocker.kind
            and (organisation is null or n.to_organisation = organisation) and notice_waits(n)) then
        return fault('/kind', 'notices_waiting', 'already has unsent notices');
    end if;
    return null;
end
$$;

-- Makes the notices that the committee requests, and returns them (201). An outcome notice is due seven days after
-- ratification. Refuses with 409 what notice_blocker returns or if all was sent, and with 422 a wrong recipient. Care
-- Inspectorate, reviews for adults.
create function notices_request(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_open(p_case, null);
    asked text := input ->> 'kind';
    other text := input ->> 'to_organisation';
    why text := input ->> 'correction_reason';
    hindrance json := notice_blocker(c, asked, other);
    made json;
begin
    perform refuse_faults(
        case when asked = 'other_committee' and other is null then
            fault('/to_organisation', 'required_for_other_committee', 'must name the committee') end,
        case when asked <> 'other_committee' and other is not null then
            fault('/to_organisation', 'only_for_other_committee',
                'is only allowed for a notice to another committee') end,
        case when asked = 'other_committee' and other is not null and not exists (select from organisation o
                where o.code = other and o.committee <> c.committee) then
            fault('/to_organisation', 'unknown_code', 'is not another committee') end);
    if hindrance is not null then
        perform refuse(409, 'state_conflict', json_build_array(hindrance));
    end if;
    if asked = 'other_committee' then
        perform notice_make(c, asked, asked, other, today(), true, why);
    else
        perform notices_make(c, asked, case asked when 'outcome' then case_ratified_on(c) + 7
            else today() + 7 end, true, why);
    end if;
    select json_agg(notice_document(n) order by n.id) into made from notice n
        where n.case_id = c.id and n.kind = asked and notice_waits(n)
            and (other is null or n.to_organisation = other);
    if made is null then
        perform conflict_at('/kind', 'already_told', 'already has sent notices with the current content');
    end if;
    return (201, null, null, json_build_object('items', made, 'next', null))::reply;
end
$$;

-- Returns the day of the event that a notice reports; the notice cannot have been sent before it.
create function notice_told_on(n notice) returns date language sql stable as $$
    select coalesce(n.snapshot ->> case n.kind when 'decision' then 'decided_on'
        when 'outcome' then 'ratified_on' when 'discontinued' then 'closed_on' end,
        n.snapshot ->> 'opened_on')::date
$$;

-- Records that the committee sent a notice (201). Refuses with 409 a notice that was sent or withdrawn, and with 422 a
-- day in the future or before the event that it reports.
create function notice_send(p_case uuid, p_id uuid, input jsonb) returns reply
language plpgsql as $$
declare
    c review_case := case_lock(p_case, null);
    n notice;
    on_day date := (input ->> 'sent_on')::date;
begin
    select * into n from notice where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found and may_move(to_jsonb(n), 'notice', 'sendNotice'));
    perform refuse_move(n, 'notice', 'sendNotice', notice_state(n));
    perform refuse_faults(
        future_fault('/sent_on', on_day),
        early_fault('/sent_on', on_day, notice_told_on(n), 'the event that the notice reports'));
    update notice set sent_on = on_day, method = input ->> 'method', content = notice_content_now(p_id)
        where id = p_id returning * into n;
    return (201, n.version, null, notice_document(n))::reply;
end
$$;

-- Records the inspectorate's observations on a notice that it received (201). Refuses with 404 every other caller, with
-- 409 a second set of observations. Care Inspectorate, learning reviews, 2024.
create function notice_observe(p_id uuid, input jsonb) returns reply language plpgsql as $$
declare
    n notice;
    on_day date := (input ->> 'received_on')::date;
begin
    select * into n from notice where id = p_id and claim('kind') = 'inspectorate' for update;
    perform refuse_unless_found(found and may_move(to_jsonb(n), 'notice', 'observeNotice'));
    perform refuse_move(n, 'notice', 'observeNotice', notice_state(n));
    perform refuse_faults(
        future_fault('/received_on', on_day),
        early_fault('/received_on', on_day, n.sent_on, 'the notice was sent'));
    update notice set observations_received_on = on_day, observations = input ->> 'observations'
        where id = p_id returning * into n;
    return (201, n.version, null, notice_document(n))::reply;
end
$$;

-- Whether the case has notices of the kind that wait to be sent.
create function notices_waiting(c review_case, p_kind text) returns boolean
language plpgsql stable as $$
begin
    return exists (select from notice n where n.case_id = c.id and n.kind = p_kind and notice_waits(n));
end
$$;

-- Each notice of the decision must be sent, also those that facts recorded later call for. Care Inspectorate, learning
-- reviews, 2024.
create function guard_notices_sent(c review_case) returns boolean language plpgsql stable as $$
begin
    return not notices_waiting(c, 'decision') and not exists (select from decision_late_recipients(c));
end
$$;

-- The outcome notices of the alternative review must be sent. Notices about an earlier decision do not count. Care
-- Inspectorate, learning reviews, 2024.
create function guard_alternative_outcome_notified(c review_case) returns boolean
language plpgsql stable as $$
begin
    return not notices_waiting(c, 'alternative_outcome') and exists (select from notice n
        join case_decision d on d.id = n.decision_id and d.current
        where n.case_id = c.id and n.kind = 'alternative_outcome' and n.sent_on is not null);
end
$$;

-- The outcome notices must be sent since the latest ratification. Holds for a case without a ratified report, which has
-- no outcome to report. Care Inspectorate, learning reviews, 2024.
create function guard_outcome_notified(c review_case) returns boolean language plpgsql stable as $$
declare
    ratified_on date := case_ratified_on(c);
begin
    return ratified_on is null or not notices_waiting(c, 'outcome') and exists (select from notice n
        where n.case_id = c.id and n.kind = 'outcome' and n.sent_on >= ratified_on);
end
$$;

-- The data set of each child who died must be with the National Hub. Guidance 2024, chapter 2.
create function guard_hub_submitted(c review_case) returns boolean language plpgsql stable as $$
begin
    return not exists (select from child k where k.case_id = c.id and k.outcome = 'died'
        and k.national_hub_submitted_on is null);
end
$$;
