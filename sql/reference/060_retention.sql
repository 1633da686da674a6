-- How long closed cases are kept; a committee's own rows are kept as they are.
insert into retention_rule (committee, months, valid_from) values
    (null, 120, '2012-01-01')
on conflict (committee, valid_from) do update set months = excluded.months;
