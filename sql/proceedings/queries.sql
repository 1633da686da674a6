-- Proceedings that run in parallel to reviews, and holds.

-- name: list_case_proceedings
select (select coalesce(json_agg(proceeding_document(p) order by p.started_on, p.id), '[]')
        from proceeding p where p.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: add_proceeding
select * from proceeding_create($1::uuid, $2::jsonb);

-- name: get_case_proceeding
-- A liaison organisation sees proceedings on their own, not as parts of a case.
select version, proceeding_document(p) as body from proceeding p
where case_id = $1::uuid and id = $2::uuid and exists (select from review_case c where c.id = p.case_id);

-- name: change_case_proceeding
select * from proceeding_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);

-- name: list_proceedings unprepared
-- Reads each part in the order of an index, which is impossible for the parts that row-level security joins by `or`.
-- Proceedings of cases opened to the caller are few and are found by case: `offset 0` keeps the planner from other
-- indexes there.
with seen as (
    (select p from proceeding p
        where p.committee = claim('area') and proceeding_fits(p, $1::jsonb)
            and ($2::jsonb is null or (p.started_on, p.id) < (($2::jsonb ->> 0)::date, ($2::jsonb ->> 1)::uuid))
        order by p.started_on desc, p.id desc limit $3::bigint + 1)
    union all
    (select g.p from (select p from proceeding p where p.case_id = any ((select granted_cases() || liaison_cases())::uuid[]) offset 0) g
        where (g.p).committee <> claim('area') and proceeding_fits(g.p, $1::jsonb)
            and ($2::jsonb is null or ((g.p).started_on, (g.p).id) < (($2::jsonb ->> 0)::date, ($2::jsonb ->> 1)::uuid)))
), page as (
    select p, row_number() over (order by (p).started_on desc, (p).id desc) as place
    from seen
    order by (p).started_on desc, (p).id desc
    limit $3::bigint + 1
)
select coalesce(json_agg(proceeding_document(p) order by place) filter (where place <= $3::bigint), '[]') as items,
    (json_agg(json_build_array((p).started_on, (p).id)) filter (where place = $3::bigint
        and exists (select from page where place > $3::bigint))) -> 0 as next
from page;

-- name: get_proceeding
select version, proceeding_document(p) as body from proceeding p where id = $1::uuid;

-- name: change_proceeding
select * from proceeding_change(null, $1::uuid, $2::bigint, $3::jsonb);

-- name: list_holds
select (select coalesce(json_agg(hold_document(h) order by h.held_from, h.id), '[]')
        from case_hold h where h.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: add_hold
select * from hold_create($1::uuid, $2::jsonb);

-- name: get_hold
select version, hold_document(h) as body from case_hold h where case_id = $1::uuid and id = $2::uuid;

-- name: change_hold
select * from hold_change($1::uuid, $2::uuid, $3::bigint, $4::jsonb);
