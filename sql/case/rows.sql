-- The time that a stage may take. The stages themselves are in lifecycle.yaml.

-- The defaults; rows of committees remain unchanged. Implementation takes as long as its plan says. The days for
-- information gathering: Adult guidance 2022, web page 8. The others are the register's own.
insert into timescale (stage, committee, amount, unit, valid_from) values
    ('notification', null, 5, 'working_days', '2012-01-01'),
    ('information_gathering', null, 14, 'calendar_days', '2012-01-01'),
    ('recommendation', null, 14, 'calendar_days', '2012-01-01'),
    ('decision', null, 14, 'calendar_days', '2012-01-01'),
    ('set_up', null, 28, 'calendar_days', '2012-01-01'),
    ('review', null, 4, 'months', '2012-01-01'),
    ('reporting', null, 2, 'months', '2012-01-01'),
    ('ratification', null, 1, 'months', '2012-01-01'),
    ('evaluation', null, 12, 'months', '2012-01-01')
on conflict (stage, committee, valid_from) do update set amount = excluded.amount, unit = excluded.unit;
