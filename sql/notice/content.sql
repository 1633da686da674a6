-- The content of a notice: the part of the review that its recipient must know. It is made of sections. Until the
-- notice is sent, its content is that of the case; sending it stores the content, which never changes afterwards.

-- Returns the sections of a kind of notice. The Inspectorate asks for the decision with its reasons, and
-- for the outcome with the learning and the report. Care Inspectorate, learning reviews, 2024.
create function notice_kind_sections(kind text) returns text[] language sql immutable as $$
    select case kind
        when 'decision' then '{circumstances,children,decision,recommendation,proceedings}'
        when 'other_committee' then '{circumstances,children,decision,proceedings}'
        when 'alternative_outcome' then '{circumstances,children,decision,findings,strategies,actions,timescales}'
        when 'outcome' then '{circumstances,children,decision,findings,strategies,actions,family,practitioners,team,'
            'timescales,proceedings,report,publication}'
        when 'discontinued' then '{children,decision,timescales,proceedings}'
        end::text[]
$$;

-- Returns the sections that a recipient may have: the chief officers and the Inspectorate all; a referrer the conclusion
-- about its referral; the National Hub the deaths and their learning; prosecution and reporter what concerns their
-- processes. Guidance 2024, chapter 2 and annex 2; UK GDPR, article 5(1)(c).
create function notice_recipient_sections(recipient text) returns text[] language sql immutable as $$
    select case recipient
        when 'referrer' then '{children,decision}'
        when 'national_hub' then '{children,decision,findings,report}'
        when 'copfs' then '{circumstances,children,decision,proceedings}'
        when 'scra' then '{children,decision,proceedings}'
        else '{circumstances,children,decision,recommendation,findings,strategies,actions,family,practitioners,team,'
            'timescales,proceedings,report,publication}'
        end::text[]
$$;

-- Returns the circumstances: the summary, the months of the incidents, and the kinds of agencies that the referrals
-- name. Months, because a day can identify a child.
create function notice_circumstances(c review_case) returns json language plpgsql stable as $$
begin
    return (select json_build_object(
            'summary', c.summary,
            'incident_months', coalesce(array_agg(distinct to_char(r.incident_on, 'YYYY-MM'))
                filter (where r.incident_on is not null), '{}'),
            'agencies_involved', (select coalesce(array_agg(distinct a order by a), '{}')
                from referral f, unnest(f.agencies_involved) a where f.case_id = c.id))
        from referral r where r.case_id = c.id);
end
$$;

-- Returns the children that the recipient may know, as notice_children does, with the harm that they suffered.
create function notice_harm(c review_case, n notice) returns json language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object(
            'outcome', k.outcome,
            'age_band', k.age_band,
            'sex', k.sex,
            'register_status', k.register_status,
            'legal_status', k.legal_status,
            'harm_types', k.harm_types,
            'cause_of_death_group', k.cause_of_death_group,
            'carm', k.carm) order by k.id), '[]')
        from child k where k.case_id = c.id and notice_names_child(k, n.recipient, n.to_organisation));
end
$$;

-- Returns the decision that the notice reports, with its reasons; null before the decision.
create function notice_decision(c review_case, n notice) returns json language plpgsql stable as $$
begin
    return (select json_build_object(
            'outcome', d.outcome,
            'decided_on', d.decided_on,
            'decided_by', d.decided_by,
            'criteria_met', d.criteria_met,
            'criteria_no_bearing', d.criteria_no_bearing,
            'no_bearing_reason', d.no_bearing_reason,
            'reasons', d.reasons,
            'alternative_kind', d.alternative_kind,
            'alternative_owner', d.alternative_owner,
            'family_informed_on', d.family_informed_on,
            'family_wait_reason', d.family_wait_reason)
        from case_decision d where d.id = coalesce(n.decision_id, (case_decision_in_force(c)).id));
end
$$;

-- Returns what the committee was recommended to decide and why; null without a recommendation.
create function notice_recommendation(c review_case) returns json language plpgsql stable as $$
begin
    return (select json_build_object(
            'recommended', r.recommended,
            'made_on', r.made_on,
            'expected_learning', r.expected_learning,
            'support_needed', r.support_needed,
            'proposed_scope', r.proposed_scope)
        from recommendation r where r.case_id = c.id);
end
$$;

-- Returns the known proceedings and what they restrict. Guidance 2024, annex 2.
create function notice_proceedings(c review_case) returns json language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object(
            'kind', p.kind,
            'started_on', p.started_on,
            'ended_on', p.ended_on,
            'position', p.position,
            'restrictions', p.restrictions) order by p.started_on, p.id), '[]')
        from proceeding p where p.case_id = c.id);
end
$$;

-- Returns the findings, effective practice among them.
create function notice_findings(c review_case) returns json language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object(
            'kind', f.kind,
            'statement', f.statement,
            'practice_area', f.practice_area,
            'themes', f.themes,
            'factors', f.factors) order by f.id), '[]')
        from finding f where f.case_id = c.id);
end
$$;

-- Returns the strategies for improvement.
create function notice_strategies(c review_case) returns json language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object(
            'case_for_change', s.case_for_change,
            'learning_orientation', s.learning_orientation,
            'evidence', s.evidence,
            'responsible_organisation', s.responsible_organisation,
            'review_on', s.review_on) order by s.id), '[]')
        from strategy s where s.case_id = c.id);
end
$$;

-- Returns the action plan: what, who, by when.
create function notice_actions(c review_case) returns json language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object(
            'title', a.title,
            'owner_organisation', a.owner_organisation,
            'status', a.status,
            'scope', a.scope,
            'original_due_on', a.original_due_on,
            'due_on', a.due_on,
            'success_measure', a.success_measure) order by a.id), '[]')
        from action a where a.case_id = c.id);
end
$$;

-- Returns how members of the family took part.
create function notice_family(c review_case) returns json language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object(
            'relation', f.relation,
            'response', f.response,
            'reason', coalesce(f.not_invited_reason, f.response_reason),
            'method', f.method,
            'feedback_before_publication_on', f.feedback_before_publication_on) order by f.id), '[]')
        from family_engagement f where f.case_id = c.id);
end
$$;

-- Returns how practitioners took part, or why they did not.
create function notice_practitioners(c review_case) returns json language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object(
            'kind', p.kind,
            'held_on', p.held_on,
            'organisations', p.organisations,
            'participants_count', p.participants_count,
            'support_offered', p.support_offered,
            'reason', p.reason) order by p.id), '[]')
        from practitioner_engagement p where p.case_id = c.id);
end
$$;

-- Returns the review team and its independence. Guidance 2024, annex 5.
create function notice_team(c review_case) returns json language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object(
            'role', t.role,
            'organisation', t.organisation,
            'independence', t.independence,
            'appointed_on', t.appointed_on,
            'ended_on', t.ended_on) order by t.id), '[]')
        from team_member t where t.case_id = c.id);
end
$$;

-- Returns the stays in the stages, with the reasons for delay.
create function notice_timescales(c review_case) returns json language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object(
            'stage', s.stage,
            'entered_on', s.entered_on,
            'left_on', s.left_on,
            'original_due_on', s.original_due_on,
            'due_on', greatest(s.due_on, s.revised_due_on),
            'delay_reasons', s.delay_reasons) order by s.sequence), '[]')
        from case_stage s where s.case_id = c.id);
end
$$;

-- Returns the report that the chief officers ratified; null without a report.
create function notice_report(c review_case) returns json language plpgsql stable as $$
begin
    return (select json_build_object(
            'ratified_on', case_ratified_on(c),
            'document_digest', r.document_digest,
            'sections', r.sections,
            'drafted_on', r.drafted_on,
            'committee_agreed_on', r.committee_agreed_on,
            'delay_reasons', r.delay_reasons,
            'no_strategies_reason', r.no_strategies_reason)
        from report r where r.case_id = c.id);
end
$$;

-- Returns the decision on publication; null before it.
create function notice_publication(c review_case) returns json language plpgsql stable as $$
begin
    return (select json_build_object(
            'form', p.form,
            'decided_on', p.decided_on,
            'reason', p.reason,
            'intended_on', p.intended_on,
            'published_on', p.published_on,
            'url', p.url)
        from publication p where p.case_id = c.id and p.form is not null);
end
$$;

-- Returns one section of a notice.
create function notice_section(c review_case, n notice, section text) returns json language plpgsql stable as $$
begin
    return case section
        when 'circumstances' then notice_circumstances(c)
        when 'children' then notice_harm(c, n)
        when 'decision' then notice_decision(c, n)
        when 'recommendation' then notice_recommendation(c)
        when 'proceedings' then notice_proceedings(c)
        when 'findings' then notice_findings(c)
        when 'strategies' then notice_strategies(c)
        when 'actions' then notice_actions(c)
        when 'family' then notice_family(c)
        when 'practitioners' then notice_practitioners(c)
        when 'team' then notice_team(c)
        when 'timescales' then notice_timescales(c)
        when 'report' then notice_report(c)
        when 'publication' then notice_publication(c) end;
end
$$;

-- Returns the content of a notice as the case is now. Sections that this kind of notice does not have, or the recipient
-- may not have, are null.
create function notice_content(c review_case, n notice) returns json language plpgsql stable as $$
begin
    return (select json_object_agg(section, case when section = any (notice_kind_sections(n.kind))
                and section = any (notice_recipient_sections(n.recipient)) then notice_section(c, n, section) end
            order by position)
        from unnest('{circumstances,children,decision,recommendation,proceedings,findings,strategies,actions,family,'
            'practitioners,team,timescales,report,publication}'::text[]) with ordinality s(section, position));
end
$$;

-- Returns the content of a notice that the caller's committee must send. Runs as the owner: who sends a notice may not
-- see every part of a case.
create function notice_content_now(p_notice uuid) returns json
language plpgsql stable security definer set search_path from current as $$
begin
    return (select notice_content(c, n) from notice n join review_case c on c.id = n.case_id
        where n.id = p_notice and n.committee = claim('committee'));
end
$$;

-- Returns the notice that another one corrects: the one of the same kind sent to the same recipient before; no row
-- (null) if there is none.
create function notice_corrected(n notice) returns notice language plpgsql stable as $$
declare
    former notice;
begin
    select * into former from notice o where o.case_id = n.case_id and o.kind = n.kind and o.recipient = n.recipient
        and o.to_organisation = n.to_organisation and o.sent_on is not null and o.id < n.id order by o.id desc limit 1;
    return former;
end
$$;

-- Returns the sections that differ between two contents, in their order; null if either is unknown.
create function notice_changes(former json, present json) returns text[] language sql immutable as $$
    select case when former is not null and present is not null then array(
        select f.key from json_each(former) with ordinality f(key, value, position)
        where f.value::text is distinct from (present -> f.key)::text order by f.position) end
$$;

-- The document of a notice's content: what was sent, or what would be sent now.
create function notice_content_document(n notice) returns json language plpgsql stable as $$
declare
    former constant notice := notice_corrected(n);
    present constant json := case when n.sent_on is null and n.withdrawn_on is null then notice_content_now(n.id)
        else n.content end;
begin
    return json_build_object(
        'notice_id', n.id,
        'case_reference', n.snapshot ->> 'case_reference',
        'kind', n.kind,
        'to', n.recipient,
        'to_organisation', n.to_organisation,
        'sent_on', n.sent_on,
        'correction_reason', n.correction_reason,
        'changed_sections', notice_changes(former.content, present),
        'sections', present,
        'links', json_build_object(
            'notice', '/v1/notices/' || n.id,
            'corrects', '/v1/notices/' || former.id || '/content'));
end
$$;
