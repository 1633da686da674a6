-- Restrictions: the steps of a review that must wait for proceedings. A restriction is in force from the day on which an
-- organisation sets it until an organisation lifts it or the proceedings end. Each function that takes a step asks
-- refuse_if_restricted, so that all of them decide alike. Guidance 2024, annex 2.

-- Returns the steps that a restriction forbids. Feedback of the family on a draft is contact and circulation at once.
create function restriction_steps(restriction text) returns text[] language sql immutable as $$
    select case restriction
        when 'no_witness_interviews' then '{practitioner_interview}'
        when 'no_family_contact' then '{family_invitation,family_meeting,family_information,family_feedback}'
        when 'no_draft_circulation' then '{accuracy_check,family_feedback,submission_to_chief_officers}'
        when 'no_publication' then '{publication}'
        else '{}' end::text[]
$$;

-- Returns who set each restriction of proceedings after a change, and when: the caller today for a new one, the former
-- entry for another.
create function restriction_origins(was proceeding, n proceeding) returns jsonb language plpgsql stable as $$
begin
    return (select coalesce(jsonb_object_agg(r, case
            when r = any (was.restrictions) then coalesce(was.restriction_origins -> r,
                jsonb_build_object('by', was.recorded_by, 'on', was.created_at::date))
            else jsonb_build_object('by', claim('organisation'), 'on', today()) end), '{}')
        from unnest(n.restrictions) r);
end
$$;

-- Whether another organisation that set a restriction of proceedings must lift it: a body that has access to the case,
-- or, for a liaison organisation, any other one than the committee.
create function restriction_is_of_another(p proceeding, restriction text) returns boolean language plpgsql stable as $$
declare
    origin text := coalesce(p.restriction_origins -> restriction ->> 'by', p.recorded_by);
begin
    return origin <> claim('organisation') and organisation_kind(origin) <> 'committee'
        and (p.committee <> claim('committee') or exists (select from case_access a where a.case_id = p.case_id
            and a.organisation = origin and a.starts_on <= today() and a.ended_on is null
            and coalesce(a.ends_on >= today(), true)));
end
$$;

-- Returns the fault of a change that lifts a restriction of another organisation; null if there is none. Guidance 2024,
-- annex 2.
create function restriction_lifting_fault(p proceeding, n proceeding) returns json language plpgsql stable as $$
declare
    origin text := (select p.restriction_origins -> r ->> 'by' from unnest(p.restrictions) r
        where r <> all (n.restrictions) and restriction_is_of_another(p, r) limit 1);
begin
    return case when origin is not null then
        fault('/restrictions', 'set_by_another', format('omits a restriction that only %s can lift', origin)) end;
end
$$;

-- Returns the restrictions that are in force for a case, each with the proceedings that cause it. If the committee
-- recorded the restriction, `recorded_for` has the bodies that agreed it; otherwise it is empty.
create function restrictions_in_force(p_case uuid) returns table (restriction text, forbids text[], proceeding_id uuid,
    proceeding_kind text, set_by text, recorded_for text[], set_on date, review_on date)
language plpgsql stable as $$
begin
    return query select r, restriction_steps(r), p.id, p.kind, origin.by,
            case when organisation_kind(origin.by) = 'committee' then p.agreed_with else '{}' end, origin.on, p.review_on
        from proceeding p
        cross join unnest(p.restrictions) r
        cross join lateral (select coalesce(p.restriction_origins -> r ->> 'by', p.recorded_by) as by,
            coalesce((p.restriction_origins -> r ->> 'on')::date, p.created_at::date) as on) origin
        where p.case_id = p_case and p.ended_on is null
        order by p.started_on, p.id, array_position('{no_witness_interviews,no_family_contact,no_draft_circulation,'
            'no_publication}'::text[], r);
end
$$;

-- Returns the restrictions in force as the contract lists them; `steps` limits them to those that forbid one of these
-- steps.
create function case_restrictions(p_case uuid, variadic steps text[] default '{}') returns json
language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object(
            'restriction', r.restriction,
            'forbids', r.forbids,
            'proceeding_id', r.proceeding_id,
            'proceeding_kind', r.proceeding_kind,
            'set_by', r.set_by,
            'recorded_for', r.recorded_for,
            'set_on', r.set_on,
            'review_on', r.review_on,
            'links', json_build_object('proceeding', '/v1/proceedings/' || r.proceeding_id,
                'case', '/v1/cases/' || p_case))), '[]')
        from restrictions_in_force(p_case) r where steps = '{}' or r.forbids && steps);
end
$$;

-- Refuses a step with 409 if a restriction in force forbids it. Each error has the restriction as its rule, and says who
-- set it, until when, and what would lift it. `pointer` is the member that takes the step; null if the request does.
-- Guidance 2024, annex 2.
create function refuse_if_restricted(c review_case, step text, pointer text) returns void language plpgsql as $$
declare
    forbidden json := (select json_agg(json_build_object('pointer', pointer, 'rule', r.restriction, 'message', format(
            '%s forbidden by a restriction that %s set on %s%s. It lasts until %s lifts it or the %s ends; %s.',
            case when pointer is null then 'The step is' else 'is' end, r.set_by, r.set_on,
            case when r.recorded_for <> '{}' then ' for ' || array_to_string(r.recorded_for, ', ') else '' end,
            r.set_by, replace(r.proceeding_kind, '_', ' '),
            coalesce('its review is due on ' || r.review_on, 'no review is planned')),
            'link', '/v1/proceedings/' || r.proceeding_id))
        from restrictions_in_force(c.id) r where step = any (r.forbids));
begin
    if forbidden is not null then
        perform refuse(409, 'state_conflict', forbidden);
    end if;
end
$$;

-- Refuses as refuse_if_restricted a step that a day records, if the request sets or changes the day. A step on a day
-- before the restriction was set remains possible: it is history.
create function refuse_restricted_day(c review_case, step text, pointer text, was date, day date) returns void
language plpgsql as $$
begin
    if day is distinct from was and day is not null and exists (select from restrictions_in_force(c.id) r
            where step = any (r.forbids) and day >= r.set_on) then
        perform refuse_if_restricted(c, step, pointer);
    end if;
end
$$;

-- No restriction of proceedings may forbid to put the draft to the chief officers. Guidance 2024, annex 2.
create function guard_draft_unrestricted(c review_case) returns boolean language plpgsql stable as $$
begin
    return not exists (select from restrictions_in_force(c.id) r
        where 'submission_to_chief_officers' = any (r.forbids));
end
$$;
