-- Notices, as the committee that sends them and as their recipients read them.

-- name: list_case_notices
select (select coalesce(json_agg(notice_document(n) order by n.id), '[]')
        from notice n where n.case_id = c.id) as items
from review_case c where c.id = $1::uuid;

-- name: create_notices
select * from notices_request($1::uuid, $2::jsonb);

-- name: get_case_notice
select n.version, notice_document(n) as body
from notice n join review_case c on c.id = n.case_id
where n.case_id = $1::uuid and n.id = $2::uuid;

-- name: send_notice
select * from notice_send($1::uuid, $2::uuid, $3::jsonb);

-- name: list_notices unprepared
-- Reads each part in the order of an index, which is impossible for the parts that row-level security joins by `or`.
-- Notices of cases opened to the caller are few and are found by case: `offset 0` keeps the planner from other indexes
-- there.
with seen as (
    (select n from notice n
        where n.committee = claim('area') and notice_fits(n, $1::jsonb)
            and ($2::jsonb is null or (n.updated_at, n.id)
                < (($2::jsonb ->> 0)::timestamptz, ($2::jsonb ->> 1)::uuid))
        order by n.updated_at desc, n.id desc limit $3::bigint + 1)
    union all
    (select n from notice n
        where n.to_organisation = claim('organisation')
            and n.committee <> claim('area')
            and n.sent_on is not null and notice_fits(n, $1::jsonb)
            and ($2::jsonb is null or (n.updated_at, n.id)
                < (($2::jsonb ->> 0)::timestamptz, ($2::jsonb ->> 1)::uuid))
        order by n.updated_at desc, n.id desc limit $3::bigint + 1)
    union all
    (select g.n from (select n from notice n where n.case_id = any ((select granted_cases())::uuid[]) offset 0) g
        where (g.n).committee <> claim('area')
            and ((g.n).to_organisation <> claim('organisation') or (g.n).sent_on is null) and notice_fits(g.n, $1::jsonb)
            and ($2::jsonb is null or ((g.n).updated_at, (g.n).id)
                < (($2::jsonb ->> 0)::timestamptz, ($2::jsonb ->> 1)::uuid)))
), page as (
    select n, row_number() over (order by (n).updated_at desc, (n).id desc) as place
    from seen
    order by (n).updated_at desc, (n).id desc
    limit $3::bigint + 1
)
select coalesce(json_agg(notice_document(n) order by place) filter (where place <= $3::bigint), '[]') as items,
    (json_agg(json_build_array((n).updated_at, (n).id)) filter (where place = $3::bigint
        and exists (select from page where place > $3::bigint))) -> 0 as next
from page;

-- name: get_notice
select version, notice_document(n) as body from notice n where id = $1::uuid;

-- name: observe_notice
select * from notice_observe($1::uuid, $2::jsonb);
