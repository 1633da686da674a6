-- The areas: health boards, child protection committees, local authorities, and codes that were replaced. Codes are
-- those of statistics.gov.scot (S08 health boards of 2014 to 2019, S12 councils of 2019); committee codes are the
-- register's own.

insert into health_board (code, name) values
    ('S08000015', 'NHS Ayrshire and Arran'),
    ('S08000016', 'NHS Borders'),
    ('S08000017', 'NHS Dumfries and Galloway'),
    ('S08000019', 'NHS Forth Valley'),
    ('S08000020', 'NHS Grampian'),
    ('S08000022', 'NHS Highland'),
    ('S08000024', 'NHS Lothian'),
    ('S08000025', 'NHS Orkney'),
    ('S08000026', 'NHS Shetland'),
    ('S08000028', 'NHS Western Isles'),
    ('S08000029', 'NHS Fife'),
    ('S08000030', 'NHS Tayside'),
    ('S08000031', 'NHS Greater Glasgow and Clyde'),
    ('S08000032', 'NHS Lanarkshire')
on conflict (code) do update set name = excluded.name;

insert into committee (code, name, kind, health_board, police_division)
select code, area || case kind when 'public' then ' Public Protection Committee'
        else ' Child Protection Committee' end,
    kind || '_protection_committee', health_board, police_division
from (values
    ('ABE', 'Aberdeen City', 'child', 'S08000020', 'A'),
    ('ABD', 'Aberdeenshire', 'child', 'S08000020', 'A'),
    ('ANG', 'Angus', 'child', 'S08000030', 'D'),
    ('ARG', 'Argyll and Bute', 'child', 'S08000022', 'L'),
    ('CLS', 'Clackmannanshire and Stirling', 'child', 'S08000019', 'C'),
    ('DGY', 'Dumfries and Galloway', 'child', 'S08000017', 'V'),
    ('DND', 'Dundee', 'child', 'S08000030', 'D'),
    ('EAY', 'East Ayrshire', 'child', 'S08000015', 'U'),
    ('EDU', 'East Dunbartonshire', 'child', 'S08000031', 'G'),
    ('ELM', 'East Lothian and Midlothian', 'public', 'S08000024', 'J'),
    ('ERE', 'East Renfrewshire', 'child', 'S08000031', 'G'),
    ('EDH', 'Edinburgh', 'child', 'S08000024', 'E'),
    ('FAL', 'Falkirk', 'child', 'S08000019', 'C'),
    ('FIF', 'Fife', 'child', 'S08000029', 'P'),
    ('GLA', 'Glasgow', 'child', 'S08000031', 'G'),
    ('HLD', 'Highland', 'child', 'S08000022', 'N'),
    ('INV', 'Inverclyde', 'child', 'S08000031', 'K'),
    ('MOR', 'Moray', 'child', 'S08000020', 'A'),
    ('NAY', 'North Ayrshire', 'child', 'S08000015', 'U'),
    ('NLK', 'North Lanarkshire', 'child', 'S08000032', 'Q'),
    ('ORK', 'Orkney', 'public', 'S08000025', 'N'),
    ('OHB', 'Outer Hebrides', 'child', 'S08000028', 'N'),
    ('PKN', 'Perth and Kinross', 'child', 'S08000030', 'D'),
    ('REN', 'Renfrewshire', 'child', 'S08000031', 'K'),
    ('SCB', 'Scottish Borders', 'public', 'S08000016', 'J'),
    ('SHE', 'Shetland', 'public', 'S08000026', 'N'),
    ('SAY', 'South Ayrshire', 'child', 'S08000015', 'U'),
    ('SLK', 'South Lanarkshire', 'child', 'S08000032', 'Q'),
    ('WDU', 'West Dunbartonshire', 'child', 'S08000031', 'L'),
    ('WLN', 'West Lothian', 'public', 'S08000024', 'J')
) given(code, area, kind, health_board, police_division)
on conflict (code) do update set name = excluded.name, kind = excluded.kind, health_board = excluded.health_board,
        police_division = excluded.police_division;

-- A local authority belongs to the health board of its committee.
insert into local_authority (code, name, committee, health_board)
select given.code, given.name, given.committee, c.health_board
from (values
    ('S12000005', 'Clackmannanshire', 'CLS'),
    ('S12000006', 'Dumfries and Galloway', 'DGY'),
    ('S12000008', 'East Ayrshire', 'EAY'),
    ('S12000010', 'East Lothian', 'ELM'),
    ('S12000011', 'East Renfrewshire', 'ERE'),
    ('S12000013', 'Na h-Eileanan Siar', 'OHB'),
    ('S12000014', 'Falkirk', 'FAL'),
    ('S12000017', 'Highland', 'HLD'),
    ('S12000018', 'Inverclyde', 'INV'),
    ('S12000019', 'Midlothian', 'ELM'),
    ('S12000020', 'Moray', 'MOR'),
    ('S12000021', 'North Ayrshire', 'NAY'),
    ('S12000023', 'Orkney Islands', 'ORK'),
    ('S12000026', 'Scottish Borders', 'SCB'),
    ('S12000027', 'Shetland Islands', 'SHE'),
    ('S12000028', 'South Ayrshire', 'SAY'),
    ('S12000029', 'South Lanarkshire', 'SLK'),
    ('S12000030', 'Stirling', 'CLS'),
    ('S12000033', 'Aberdeen City', 'ABE'),
    ('S12000034', 'Aberdeenshire', 'ABD'),
    ('S12000035', 'Argyll and Bute', 'ARG'),
    ('S12000036', 'City of Edinburgh', 'EDH'),
    ('S12000038', 'Renfrewshire', 'REN'),
    ('S12000039', 'West Dunbartonshire', 'WDU'),
    ('S12000040', 'West Lothian', 'WLN'),
    ('S12000041', 'Angus', 'ANG'),
    ('S12000042', 'Dundee City', 'DND'),
    ('S12000045', 'East Dunbartonshire', 'EDU'),
    ('S12000047', 'Fife', 'FIF'),
    ('S12000048', 'Perth and Kinross', 'PKN'),
    ('S12000049', 'Glasgow City', 'GLA'),
    ('S12000050', 'North Lanarkshire', 'NLK')
) given(code, name, committee)
join committee c on c.code = given.committee
on conflict (code) do update set name = excluded.name, committee = excluded.committee,
        health_board = excluded.health_board;

insert into former_area_code (code, replaced_by) values
    ('S12000015', 'S12000047'), -- Fife
    ('S12000024', 'S12000048'), -- Perth and Kinross
    ('S12000044', 'S12000050'), -- North Lanarkshire
    ('S12000046', 'S12000049'), -- Glasgow City
    ('S08000018', 'S08000029'), -- Fife
    ('S08000021', 'S08000031'), -- Greater Glasgow and Clyde
    ('S08000023', 'S08000032'), -- Lanarkshire
    ('S08000027', 'S08000030') -- Tayside
on conflict (code) do update set replaced_by = excluded.replaced_by;
