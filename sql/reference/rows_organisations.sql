-- The organisations for which tokens may act and that own actions: first those derived from the areas, then the
-- national ones.

insert into organisation (code, kind, name, committee, area, collective)
select 'CPC-' || code, 'committee', name, code, null, false from committee
union all
select 'COG-' || code, 'chief_officers_group',
    regexp_replace(name, ' (Child|Public) Protection Committee$', '') || ' Chief Officers Group', null, code, false
from committee
union all
select 'LA-' || code, 'local_authority',
    case code when 'S12000013' then 'Comhairle nan Eilean Siar' else name || ' Council' end, null, null,
    false
from local_authority
union all
select 'HB-' || code, 'health_board', name, null, null, false from health_board
union all
select 'POL-' || letter, 'police', 'Police Scotland, ' || name || ' Division', null, null, false
from (values
    ('A', 'North East'),
    ('C', 'Forth Valley'),
    ('D', 'Tayside'),
    ('E', 'Edinburgh'),
    ('G', 'Greater Glasgow'),
    ('J', 'Lothians and Scottish Borders'),
    ('K', 'Renfrewshire and Inverclyde'),
    ('L', 'Argyll and West Dunbartonshire'),
    ('N', 'Highlands and Islands'),
    ('P', 'Fife'),
    ('Q', 'Lanarkshire'),
    ('U', 'Ayrshire'),
    ('V', 'Dumfries and Galloway')
) division(letter, name)
union all
select code, kind, name, null, null, code in ('TS-OTHER', 'INDEPENDENT')
from (values
    ('COPFS', 'prosecution', 'Crown Office and Procurator Fiscal Service'),
    ('SCRA', 'reporter', 'Scottish Children''s Reporter Administration'),
    ('CI', 'inspectorate', 'Care Inspectorate'),
    ('HIS', 'national', 'Healthcare Improvement Scotland, National Hub'),
    ('SG', 'national', 'Scottish Government'),
    ('CHS', 'national', 'Children''s Hearings Scotland'),
    ('TS-OTHER', 'third_sector', 'Third sector organisation not listed by itself'),
    ('INDEPENDENT', 'independent', 'Independent chairs and reviewers'),
    ('AUDITOR', 'auditor', 'Auditors of the register')
) national(code, kind, name)
on conflict (code) do update set (kind, name, committee, area, collective)
    = (excluded.kind, case when organisation.renamed then organisation.name else excluded.name end,
        excluded.committee, excluded.area, excluded.collective);
