-- The organisation that set each restriction of proceedings, and the day: {"no_publication": {"by": "COPFS", "on": "2026-03-16"}}. A
-- restriction without an entry is older than this column: the organisation that recorded the proceedings set it.
alter table proceeding add column restriction_origins jsonb not null default '{}'
    check (jsonb_typeof(restriction_origins) = 'object');
