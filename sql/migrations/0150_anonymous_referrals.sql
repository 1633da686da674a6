-- What a referral that never became a case still counts after its retention, and nothing that leads back to it.
create table anonymous_referral (
    id uuid primary key,
    committee text not null references committee,
    transferred_from text references committee,
    source_kind text not null,
    received_month date not null,
    status text not null check (status in ('rejected', 'withdrawn')),
    reason text not null,
    anonymised_on date not null
);
