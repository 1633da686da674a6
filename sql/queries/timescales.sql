-- Timescales and local holidays of the caller's committee.

-- name: list_own_timescales
select coalesce(json_agg(timescale_document(t) order by s.position, t.valid_from), '[]') as items
from timescale t join stage s on s.code = t.stage
where t.committee = claim('committee');

-- name: create_timescale
select * from timescale_create($1::jsonb);

-- name: list_local_holidays
select coalesce(json_agg(local_holiday_document(h) order by h.day), '[]') as items
from local_holiday h
where h.committee = claim('committee');

-- name: create_local_holiday
select * from local_holiday_create($1::jsonb);
