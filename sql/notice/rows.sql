-- The moves of notices (notice_state). The committee sends a notice, and the inspectorate answers it once. The register
-- itself withdraws a notice that is no longer needed.

delete from state_transition where (guidance, edition, subject) = ('child', '2024', 'notice');
insert into state_transition (subject, operation, from_state, to_state, who) values
    ('notice', 'sendNotice', 'waiting', 'sent', '{committee}'),
    ('notice', 'observeNotice', 'sent', 'observed', '{to_organisation}');

delete from state_refusal where (guidance, edition, subject) = ('child', '2024', 'notice');
insert into state_refusal (subject, operation, from_state, rule, message) values
    ('notice', 'sendNotice', null, 'already_sent', 'The notice was already sent.'),
    ('notice', 'sendNotice', 'withdrawn', 'notice_withdrawn', 'The notice is no longer needed.'),
    ('notice', 'observeNotice', null, 'already_observed', 'Observations on this notice are already recorded.');
