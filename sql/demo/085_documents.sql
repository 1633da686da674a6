-- Documents of reviews that have a report: a plain text, released to the inspectorate once the review is closed.

create temporary table demo_document on commit drop as
select h.id as case_id, h.committee, h.stage, m.made, pg_temp.id_of(h.key || ' document', m.made) as id,
    convert_to(format('Summary of the learning from the review %s: agencies shared their chronologies late.',
        c.reference), 'UTF8') as content
from demo_head h join report p on p.case_id = h.id join review_case c on c.id = h.id
cross join lateral (select pg_temp.instant(h.key || 'document', p.drafted_on) as made) m
where p.drafted_on is not null and pg_temp.share(h.key || 'document') < 0.5;

insert into document (id, committee, case_id, kind, media_type, size, digest, recorded_by, created_at, updated_at,
    version)
select id, committee, case_id, 'learning_summary', 'text/plain', length(content), encode(sha256(content), 'hex'),
    'CPC-' || committee, made, made + interval '1 minute', 2
from demo_document;

insert into document_piece (document_id, number, content) select id, 0, content from demo_document;

insert into document_release (id, committee, case_id, document_id, organisation, released_on, recorded_by, created_at,
    updated_at)
select pg_temp.id_of(id || ' release', made), committee, case_id, id, 'CI', scottish_day(made), 'CPC-' || committee,
    made + interval '1 hour', made + interval '1 hour'
from demo_document where stage = 'closed';
