-- The moves of referrals. The sender may change and withdraw a referral until the committee has decided about it.

delete from state_transition where (guidance, edition, subject) = ('child', '2024', 'referral');
insert into state_transition (subject, operation, from_state, to_state, who) values
    ('referral', 'changeReferral', 'submitted', 'submitted', '{source_organisation}'),
    ('referral', 'changeReferral', 'acknowledged', 'acknowledged', '{source_organisation}'),
    ('referral', 'withdrawReferral', 'submitted', 'withdrawn', '{source_organisation}'),
    ('referral', 'withdrawReferral', 'acknowledged', 'withdrawn', '{source_organisation}'),
    ('referral', 'acknowledgeReferral', 'submitted', 'acknowledged', '{committee}'),
    ('referral', 'acceptReferral', 'submitted', 'accepted', '{committee}'),
    ('referral', 'acceptReferral', 'acknowledged', 'accepted', '{committee}'),
    ('referral', 'rejectReferral', 'submitted', 'rejected', '{committee}'),
    ('referral', 'rejectReferral', 'acknowledged', 'rejected', '{committee}'),
    ('referral', 'transferReferral', 'submitted', 'submitted', '{committee}'),
    ('referral', 'transferReferral', 'acknowledged', 'submitted', '{committee}');

delete from state_refusal where (guidance, edition, subject) = ('child', '2024', 'referral');
insert into state_refusal (subject, operation, rule, message)
select 'referral', operation, 'referral_decided', 'The committee has decided about this referral, or it was withdrawn.'
from (select distinct operation from state_transition where subject = 'referral') t;
insert into state_refusal (subject, operation, from_state, rule, message) values
    ('referral', 'acknowledgeReferral', 'acknowledged', 'already_acknowledged',
        'The referral was already acknowledged.');
