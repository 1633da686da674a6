-- The list of what is due for the caller, of all kinds and across cases: GET /v1/work.
--
-- Each kind is a scan in the order of an index that begins with the committee of the case or the organisation that must
-- act, and ends after a page. So the list costs a page of each kind, whatever the number of cases. Row-level security
-- applies to each table, and the scopes are those of the resources' own lists.

create type due_item as (kind text, due_on date, id uuid, case_id uuid, case_reference text, committee text, title text,
    organisation text, role text);

-- Returns the first items due on or before `until`, by day, kind and identifier, behind the given position (null: from
-- the start). `wanted` is the only kind, or null. First the work of the caller's committee, then that of cases opened
-- to it and that of its organisation elsewhere; they have no row in common.
create function due_items(wanted text, until date, after_day date, after_kind text, after_id uuid, how_many bigint)
returns setof due_item language plpgsql stable as $$
begin
    return query
    select * from (
        (select 'stage', x.stage_due_or_never, x.id, x.id, x.reference, x.committee, x.stage, null, null
         from review_case x
         where (wanted is null or wanted = 'stage') and has_scope('cases.read')
             and x.committee = claim('area')
             and x.stage <> 'closed'
             and x.stage_due_or_never between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.stage_due_or_never, 'stage', x.id) > (after_day, after_kind, after_id))
         order by x.stage_due_or_never, x.id limit how_many)
        union all
        (select 'task', x.due_on, x.id, x.case_id, null, x.committee, x.title, null, x.owner_role
         from task x
         where (wanted is null or wanted = 'task') and has_scope('cases.read')
             and x.committee = claim('area')
             and x.status = 'open'
             and x.due_on between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.due_on, 'task', x.id) > (after_day, after_kind, after_id))
         order by x.due_on, x.id limit how_many)
        union all
        (select 'notice', x.due_on, x.id, x.case_id, null, x.committee, x.kind, x.to_organisation, null
         from notice x
         where (wanted is null or wanted = 'notice') and has_scope('notices.read')
             and x.committee = claim('area')
             and x.sent_on is null and x.withdrawn_on is null
             and x.due_on between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.due_on, 'notice', x.id) > (after_day, after_kind, after_id))
         order by x.due_on, x.id limit how_many)
        union all
        (select 'information_request', x.due_on, x.id, x.case_id, null, x.committee, null, x.organisation, null
         from information_request x
         where (wanted is null or wanted = 'information_request') and has_scope('information.read')
             and x.committee = claim('area')
             and x.status = 'open'
             and x.due_on between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.due_on, 'information_request', x.id) > (after_day, after_kind, after_id))
         order by x.due_on, x.id limit how_many)
        union all
        (select 'action', x.due_on, x.id, x.case_id, x.case_reference,
            x.committee, x.title, x.owner_organisation, x.owner_role
         from action x
         where (wanted is null or wanted = 'action') and has_scope('actions.read')
             and x.committee = claim('area')
             and x.status in ('proposed', 'agreed', 'in_progress')
             and x.due_on between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.due_on, 'action', x.id) > (after_day, after_kind, after_id))
         order by x.due_on, x.id limit how_many)
        union all
        (select 'extension', x.due_on, x.id, x.case_id, x.case_reference,
            x.committee, x.title, x.owner_organisation, null
         from action x
         where (wanted is null or wanted = 'extension') and has_scope('actions.read')
             and x.committee = claim('area')
             and x.requested_due_on is not null
             and x.due_on between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.due_on, 'extension', x.id) > (after_day, after_kind, after_id))
         order by x.due_on, x.id limit how_many)
        union all
        (select 'impact_review', x.impact_review_due_on, x.id, x.case_id, x.case_reference,
            x.committee, x.title, x.owner_organisation, null
         from action x
         where (wanted is null or wanted = 'impact_review') and has_scope('actions.read')
             and x.committee = claim('area')
             and x.impact_review_due_on is not null
             and x.impact_review_due_on between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.impact_review_due_on, 'impact_review', x.id)
                 > (after_day, after_kind, after_id))
         order by x.impact_review_due_on, x.id limit how_many)
        union all
        (select 'hold', x.review_on, x.id, x.case_id, null, x.committee, x.reason, null, null
         from case_hold x
         where (wanted is null or wanted = 'hold') and has_scope('proceedings.read')
             and x.committee = claim('area')
             and x.lifted_on is null
             and x.review_on between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.review_on, 'hold', x.id) > (after_day, after_kind, after_id))
         order by x.review_on, x.id limit how_many)
        union all
        (select 'proceeding', x.review_on, x.id, x.case_id, x.case_reference, x.committee, x.kind, null, null
         from proceeding x
         where (wanted is null or wanted = 'proceeding') and has_scope('proceedings.read')
             and x.committee = claim('area')
             and x.ended_on is null
             and x.review_on between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.review_on, 'proceeding', x.id) > (after_day, after_kind, after_id))
         order by x.review_on, x.id limit how_many)
        union all
        (select 'stage', x.stage_due_or_never, x.id, x.id, x.reference, x.committee, x.stage, null, null
         from review_case x
         where (wanted is null or wanted = 'stage') and has_scope('cases.read')
             and x.id = any ((select granted_cases())::uuid[]) and x.committee <> claim('area')
             and x.stage <> 'closed'
             and x.stage_due_or_never between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.stage_due_or_never, 'stage', x.id) > (after_day, after_kind, after_id))
         order by x.stage_due_or_never, x.id limit how_many)
        union all
        (select 'task', x.due_on, x.id, x.case_id, null, x.committee, x.title, null, x.owner_role
         from task x
         where (wanted is null or wanted = 'task') and has_scope('cases.read')
             and x.case_id = any ((select granted_cases())::uuid[]) and x.committee <> claim('area')
             and x.status = 'open'
             and x.due_on between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.due_on, 'task', x.id) > (after_day, after_kind, after_id))
         order by x.due_on, x.id limit how_many)
        union all
        (select 'information_request', x.due_on, x.id, x.case_id, null, x.committee, null, x.organisation, null
         from information_request x
         where (wanted is null or wanted = 'information_request') and has_scope('information.read')
             and x.organisation = nullif(own_organisation(), '') and x.committee <> claim('area')
             and x.status = 'open'
             and x.due_on between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.due_on, 'information_request', x.id) > (after_day, after_kind, after_id))
         order by x.due_on, x.id limit how_many)
        union all
        (select 'action', x.due_on, x.id, x.case_id, x.case_reference,
            x.committee, x.title, x.owner_organisation, x.owner_role
         from action x
         where (wanted is null or wanted = 'action') and has_scope('actions.read')
             and x.owner_organisation = nullif(own_organisation(), '') and x.committee <> claim('area')
             and x.status in ('proposed', 'agreed', 'in_progress')
             and x.due_on between coalesce(after_day, '-infinity') and until
             and (after_day is null or (x.due_on, 'action', x.id) > (after_day, after_kind, after_id))
         order by x.due_on, x.id limit how_many)
    ) due (kind, due_on, id, case_id, case_reference, committee, title, organisation, role)
    order by due_on, kind, id
    limit how_many;
end
$$;

-- Returns the address of the resource that an item is about.
create function due_link(i due_item) returns text language sql immutable as $$
    select case i.kind
        when 'stage' then '/v1/cases/' || i.id
        when 'task' then '/v1/cases/' || i.case_id || '/tasks/' || i.id
        when 'hold' then '/v1/cases/' || i.case_id || '/holds/' || i.id
        when 'notice' then '/v1/notices/' || i.id
        when 'information_request' then '/v1/information-requests/' || i.id
        when 'proceeding' then '/v1/proceedings/' || i.id
        else '/v1/actions/' || i.id end
$$;

-- The document of an item. The identifier and link of the case are null for callers that do not work on the case.
create function due_document(i due_item) returns json language plpgsql stable as $$
declare
    known constant boolean := knows_case(i.committee, i.case_id);
begin
    return json_build_object(
        'kind', i.kind,
        'id', i.id,
        'due_on', i.due_on,
        'overdue', i.due_on < today(),
        'case_id', case when known then i.case_id end,
        'case_reference', coalesce(i.case_reference, (case_outline(i.case_id)).reference),
        'committee', i.committee,
        'title', i.title,
        'organisation', i.organisation,
        'owner_role', i.role,
        'links', json_build_object(
            'self', due_link(i),
            'case', case when known then '/v1/cases/' || i.case_id end));
end
$$;

-- Returns a page of what is due for the caller. `due_by` and `within_days` limit the due day; without either, what is
-- due in the next seven days.
create function due_page(filters jsonb, after jsonb, how_many bigint, out items json, out next json)
language plpgsql stable as $$
declare
    until constant date := least((filters ->> 'due_by')::date, today() + coalesce((filters ->> 'within_days')::integer,
        case when filters ->> 'due_by' is null then 7 end));
    found due_item[] := array(select d from due_items(filters ->> 'kind', until, (after ->> 0)::date, after ->> 1,
        (after ->> 2)::uuid, how_many + 1) d);
    last constant due_item := found[how_many];
begin
    items := (select coalesce(json_agg(due_document(found[n]) order by n), '[]')
        from generate_series(1, least(how_many, cardinality(found))) n);
    if cardinality(found) > how_many then
        next := json_build_array(last.due_on, last.kind, last.id);
    end if;
end
$$;
