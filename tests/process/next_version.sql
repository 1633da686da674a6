-- An example of a next version: it adds objects, and removes nothing that this version needs.
alter table referral add column next_note text;
alter table review_case add column next_note text not null default '';
create index next_note on referral (next_note) where next_note is not null;
create table next_thing (
    id uuid primary key,
    committee text not null,
    case_id uuid not null,
    foreign key (committee, case_id) references review_case (committee, id) on update cascade on delete cascade
);
