-- The action plan of a case as a whole: a document, and a page to print.

-- The document of the action plan of a case, by due day.
create function action_plan_document(c review_case) returns json language sql stable as $$
    select json_build_object(
        'case_id', c.id,
        'case_reference', c.reference,
        'committee', c.committee,
        'as_of', today(),
        'actions', (select coalesce(json_agg(action_document(a) order by a.due_on, a.id), '[]')
            from action a where a.case_id = c.id),
        'links', json_build_object(
            'self', '/v1/cases/' || c.id || '/action-plan',
            'case', '/v1/cases/' || c.id))
$$;

-- Returns the text for a place between tags or within quotes of HTML; '' for null.
create function html_escaped(content text) returns text language sql immutable as $$
    select coalesce(replace(replace(replace(replace(replace(content, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'),
        '"', '&quot;'), '''', '&#39;'), '')
$$;

-- Returns the name of an organisation as HTML; its code if it has no name.
create function organisation_as_html(p_code text) returns text language sql stable as $$
    select html_escaped(coalesce((select o.name from organisation o where o.code = p_code), p_code))
$$;

-- Returns an action as a row of the table.
create function action_as_html(a action) returns text language sql stable as $$
    select format('<tr><th scope="row">%s</th><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>',
        html_escaped(a.title),
        organisation_as_html(a.owner_organisation),
        a.due_on || case when a.due_on <> a.original_due_on then '<br>first ' || a.original_due_on else '' end,
        html_escaped((select e.label from code_entry e where e.list = 'action-statuses' and e.code = a.status))
            || '<br>' || a.progress || ' %',
        html_escaped(a.success_measure) || '<br>' || html_escaped(a.evidence))
$$;

-- Returns the action plan of a case as a page for browsers and paper. Its style is that of the documentation.
create function action_plan_page(c review_case) returns text language sql stable as $$
    select format('<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Action plan %1$s</title><link rel="stylesheet" href="/docs/style.css"></head>
<body class="plan"><main><h1>Action plan of the learning review %1$s</h1>
<p>%2$s, %3$s</p>
<table><caption>Actions by due date</caption><thead><tr><th scope="col">Action</th><th scope="col">Owner</th>'
        '<th scope="col">Due</th><th scope="col">Status</th><th scope="col">Measure of success, evidence</th>'
        '</tr></thead>
<tbody>%4$s</tbody></table></main></body></html>
', html_escaped(c.reference), organisation_as_html('CPC-' || c.committee), today(),
        (select string_agg(action_as_html(a), E'\n' order by a.due_on, a.id) from action a where a.case_id = c.id))
$$;
