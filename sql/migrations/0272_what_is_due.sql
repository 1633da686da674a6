-- Indexes for the list of what is due (sql/work/due.sql), and the day of the next impact review of an action.
alter table action add column impact_review_due_on date,
    add constraint action_impact_review_verified check (impact_review_due_on is null or status = 'verified');
alter table action disable trigger user; -- it is no change of an action
update action a set impact_review_due_on = case when exists (select from impact_review r where r.action_id = a.id)
        then (select r.next_review_on from impact_review r where r.action_id = a.id
            order by r.reviewed_on desc, r.id desc limit 1)
        else a.verified_on + interval '1 year' end
    where a.status = 'verified';
alter table action enable trigger user;
create index action_committee_impact_review_due_on
    on action (committee, impact_review_due_on, id) where impact_review_due_on is not null;
create index notice_committee_due_on_unsent
    on notice (committee, due_on, id) where sent_on is null and withdrawn_on is null;
create index case_hold_committee_review_on on case_hold (committee, review_on, id) where lifted_on is null;
create index proceeding_committee_review_on
    on proceeding (committee, review_on, id) where ended_on is null and review_on is not null;
