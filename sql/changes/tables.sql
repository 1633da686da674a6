-- The history of a case, and the change feed.

-- The timeline: every change of a part of a case, with the values before and after. Rows are only added.
create table change (
    id bigint generated always as identity primary key,
    committee text not null,
    case_id uuid not null,
    subject text not null,                          -- kind of the part
    subject_id uuid not null,
    kind text not null check (kind in ('created', 'changed', 'corrected', 'removed')),
    changes jsonb not null,                         -- of each member: before, after
    recorded_by text not null,
    recorded_client text not null,
    recorded_at timestamptz not null default now(),
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade
);
create index on change (case_id, id);

-- ---- Change feed: one small row for each change and each audience that may see it ----
--
-- A change draws its number from one sequence while it holds its locks. A change that waited for a lock therefore has a
-- higher number than the change that held it. Readers receive numbers only up to one below which every transaction has
-- ended (service/db/feed.c): no event can be added there.
create sequence feed_number;
do $$ begin perform nextval('feed_number'); end $$; -- last_value is now a number that was drawn
grant select on sequence feed_number to register_service;

-- The kinds of resources in the feed. The code defines the rows.
create table feed_subject (
    subject text primary key check (subject ~ '^[a-z][a-z_]*$'),
    position integer not null unique deferrable initially deferred,
    table_name text not null unique,
    path text not null,                             -- of the resource; {id} and {case} represent identifiers
    lane text not null check (lane ~ '^[a-z][a-z_]*$'),
    scopes text[] not null,                         -- any of them shows it; the same for all subjects of a lane
    committees text[] not null default '{committee}',   -- members with the code of a committee that sees it
    organisations text[] not null default '{}',     -- members with the code of an organisation that sees it
    seen_with text,                                 -- while this member is null, those organisations do not see it
    shared text[] not null default '{}'             -- kinds of access to the case that show it
        check (shared <@ '{granted,liaison}'),
    unshown text[] not null default '{}',           -- members that the document does not have
    guarded text[] not null default '{}',           -- members that need the scope children.read
    renamed jsonb not null default '{}'             -- members that have another name in the document
);
grant select on feed_subject to register_service;

-- channel: audience / lane. An audience is `area-` and a committee, or the code of an organisation. For access to
-- single cases it is the code of an organisation, a space, and the client (`*` for all its clients).
create table feed_event (
    channel text not null,
    number bigint not null,
    subject text not null,
    subject_id uuid not null,
    case_id uuid,                                   -- null: the audience does not see the case
    kind text not null check (kind in ('created', 'changed', 'removed', 'present')),
    version bigint not null,
    changed text[],                                 -- names of the members that changed
    shared boolean not null,                        -- visible only through access to the case
    occurred_at timestamptz not null default now(),
    primary key (channel, number)
) with (fillfactor = 100);

-- The accesses in force that the feed has reported. An access that begins or ends by its date thus gives events too.
create table feed_sight (
    access_id uuid primary key,
    case_id uuid not null,
    audience text not null,
    way text not null check (way in ('granted', 'liaison'))
);
create index on feed_sight (case_id);

-- Where the sequence was at certain times: finds the events that are too old without an index by time.
create table feed_mark (
    number bigint primary key,
    at timestamptz not null default now()
);

-- Events up to this number are deleted.
create table feed_floor (
    only_row boolean primary key default true check (only_row),
    number bigint not null
);
insert into feed_floor (number) values (0);
grant select on feed_floor to register_service;
