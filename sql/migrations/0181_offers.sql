-- Asked with each request of a committee: what is offered to it, with the cases that were merged into that.
create index on case_transfer (to_committee) where status = 'proposed';
create index on review_case (merged_into) where merged_into is not null;
