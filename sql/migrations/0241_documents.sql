-- Documents of a case: what each is, its bytes in pieces, and the organisations to which it was released.
create table document (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    kind text not null,
    replaces uuid references document,
    media_type text check (media_type in ('text/plain', 'application/pdf', 'application/vnd.oasis.opendocument.text',
        'application/vnd.openxmlformats-officedocument.wordprocessingml.document')),
    size integer check (size between 1 and 20971520),
    digest text check (digest ~ '^[0-9a-f]{64}$'),  -- SHA-256, hexadecimal
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check (num_nulls(media_type, size, digest) in (0, 3))
);
create index on document (case_id, id);
create unique index on document (replaces);

-- The bytes of a document, in pieces of 256 KiB. Their formats are compressed already.
create table document_piece (
    document_id uuid not null references document on delete cascade,
    number integer not null check (number between 0 and 79),
    content bytea not null check (length(content) between 1 and 262144),
    primary key (document_id, number)
);
alter table document_piece alter column content set storage external;

create table document_release (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    document_id uuid not null references document on delete cascade,
    organisation text not null references organisation,
    released_on date not null,
    withdrawn_on date check (withdrawn_on >= released_on),
    withdrawal_reason text check (length(withdrawal_reason) between 1 and 2000),
    recorded_by text not null references organisation,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    foreign key (committee, case_id) references review_case (committee, id)
        on update cascade on delete cascade,
    check ((withdrawn_on is null) = (withdrawal_reason is null))
);
create index on document_release (case_id);
create index on document_release (organisation, id);
create unique index document_release_once on document_release (document_id, organisation) where withdrawn_on is null;
