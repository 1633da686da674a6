-- How long closed cases are kept; rows of committees remain unchanged.
insert into retention_rule (committee, months, valid_from, announced_on) values
    (null, 120, '2012-01-01', '2012-01-01')
on conflict (committee, valid_from) where withdrawn_on is null
    do update set months = excluded.months, announced_on = excluded.announced_on
    where (retention_rule.months, retention_rule.announced_on) is distinct from (excluded.months, excluded.announced_on);
