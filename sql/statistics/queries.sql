-- Statistics: the tables, one table, and a step of counting.

-- name: list_statistics standby
select * from statistics_list();

-- name: get_statistics standby
select * from statistics_read($1, $2::jsonb, $3::boolean);

-- name: look_at_statistics
select l.*, excluded_organisations() as excluded from statistic_poll($1::integer) l;

-- name: list_published_reviews standby
select coalesce(json_agg(json_build_object(
        'code', r.code,
        'title', r.title,
        'publisher', r.publisher,
        'period_from', r.period_from,
        'period_to', r.period_to,
        'source', r.source,
        'note', r.note,
        'figures', (select json_agg(json_build_object('subject', f.subject, 'dimension', f.dimension,
                'category', f.category, 'value', f.value, 'comparable_with', f.comparable_with) order by f.position)
            from published_figure f where f.review = r.code)) order by r.period_from desc), '[]') as items
from published_review r;
