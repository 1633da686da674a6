-- The change feed: one small row for each change and each audience that may see it.
--
-- Numbers are drawn from one sequence while the change's own locks are held: what waited for a lock has a higher
-- number than what it waited for. A reader takes numbers only up to one below which every transaction has ended
-- (service/db/feed.c); up to there nothing can come in between any more.
create sequence feed_number;
do $$ begin perform nextval('feed_number'); end $$; -- from now on its last_value is a number that was drawn

-- What the feed tells about each kind of thing; rows stand in sql/reference/070_feed.sql.
create table feed_subject (
    subject text primary key check (subject ~ '^[a-z][a-z_]*$'),
    position integer not null unique deferrable initially deferred,
    table_name text not null unique,
    path text not null,             -- of its resource; {id} and {case} stand for identifiers
    lane text not null check (lane ~ '^[a-z][a-z_]*$'),
    scopes text[] not null,         -- any of them shows it; the same for all subjects of a lane
    committees text[] not null default '{committee}',   -- members that name a committee that sees it
    organisations text[] not null default '{}',         -- members that name an organisation that sees it
    seen_with text,                                     -- member without which those organisations do not see it
    shared text[] not null default '{}' check (shared <@ '{granted,liaison}'), -- whose access to the case shows it
    unshown text[] not null default '{}',               -- members that its document does not have
    guarded text[] not null default '{}',               -- members shown only with the scope children.read
    renamed jsonb not null default '{}'                 -- members that its document calls otherwise
);
grant select on feed_subject to register_service;

-- channel: who / lane. Who: `area-` and a committee, an organisation's code, or for access to single cases an
-- organisation's code and the client's behind a blank (`*` for all its clients).
create table feed_event (
    channel text not null,
    number bigint not null,
    subject text not null,
    subject_id uuid not null,
    case_id uuid,                   -- null where the audience does not see the case
    kind text not null check (kind in ('created', 'changed', 'removed', 'present')),
    version bigint not null,
    changed text[],
    shared boolean not null,        -- seen through access to the case alone
    occurred_at timestamptz not null default now(),
    primary key (channel, number)
) with (fillfactor = 100);

-- Accesses in force as the feed has told them, so that their beginning and end by date become events too.
create table feed_sight (
    access_id uuid primary key,
    case_id uuid not null,
    audience text not null,
    way text not null check (way in ('granted', 'liaison'))
);
create index on feed_sight (case_id);

-- Where the sequence stood, now and then: finds what is older than the retention without an index by time.
create table feed_mark (
    number bigint primary key,
    at timestamptz not null default now()
);

-- Everything up to this number is deleted.
create table feed_floor (
    only_row boolean primary key default true check (only_row),
    number bigint not null
);
insert into feed_floor (number) values (0);
grant select on feed_floor to register_service;
grant select on sequence feed_number to register_service;
