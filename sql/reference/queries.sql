-- Reference data in the form of the contract.

-- name: list_committees
select coalesce(json_agg(json_build_object('code', c.code, 'name', c.name, 'kind', c.kind,
        'local_authorities', (select json_agg(a.code order by a.code) from local_authority a
            where a.committee = c.code),
        'health_board', c.health_board, 'police_division', c.police_division) order by c.code), '[]') as items
from committee c;

-- name: list_local_authorities
select coalesce(json_agg(json_build_object('code', code, 'name', name, 'committee', committee,
    'health_board', health_board) order by code), '[]') as items from local_authority;

-- name: list_health_boards
select coalesce(json_agg(json_build_object('code', code, 'name', name) order by code), '[]') as items
from health_board;

-- name: list_organisations
select coalesce(json_agg(json_build_object('code', code, 'name', name, 'kind', kind, 'committee', committee,
    'area', area, 'collective', collective) order by code), '[]') as items from organisation;

-- name: list_stages
select coalesce(json_agg(json_build_object('code', s.code, 'label', s.label, 'position', s.position,
    'terminal', s.terminal, 'description', s.description,
    'transitions', (select coalesce(json_agg(json_build_object('to', t.to_stage, 'way', t.way,
            'label', t.label, 'reasons', t.reasons, 'guards',
            (select coalesce(json_agg(json_build_object('code', g.code, 'message', g.message,
                'by', g.responsible) order by n), '[]')
             from unnest(t.guards) with ordinality u(code, n) join stage_guard g using (code)
             where rules_apply(g.guidance, g.edition)))
            order by e.position, t.way), '[]')
        from stage_transition t join stage e on e.code = t.to_stage where t.from_stage = s.code
            and rules_apply(t.guidance, t.edition)))
    order by s.position), '[]') as items
from stage s
where rules_apply(s.guidance, s.edition);

-- name: list_timescales
select coalesce(json_agg(timescale_document(t) order by s.position, t.committee nulls first, t.valid_from),
    '[]') as items
from timescale t join stage s on s.code = t.stage
where rules_apply(t.guidance, t.edition);

-- name: list_bank_holidays
select coalesce(json_agg(json_build_object('holiday_on', day, 'name', name) order by day), '[]') as items
from bank_holiday;

-- name: list_code_lists
select coalesce(json_agg(json_build_object('name', l.name, 'label', l.label, 'version', l.version,
    'entries_count', (select count(*) from code_entry e where e.list = l.name)) order by l.name), '[]') as items
from code_list l;

-- name: get_code_list
select json_build_object('name', l.name, 'label', l.label, 'version', l.version,
    'entries', (select json_agg(json_build_object('code', e.code, 'label', e.label,
        'description', e.description, 'retired', e.retired) order by e.position)
        from code_entry e where e.list = l.name)) as body
from code_list l where l.name = $1;
