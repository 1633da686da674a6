-- Indexes for look-ups by reference and for the sort order by the latest change (service/db/lists.py). The references of
-- cases have one already.
create index referral_reference on referral (reference);
create index referral_committee_updated_at on referral (committee, updated_at desc, id desc);
create index referral_source_organisation_updated_at on referral (source_organisation, updated_at desc, id desc);
create index review_case_committee_updated_at on review_case (committee, updated_at desc, id desc);
