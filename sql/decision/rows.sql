-- The moves of information requests. The organisation asked answers; the committee changes, waives or withdraws.

delete from state_transition where (guidance, edition, subject) = ('child', '2024', 'information_request');
insert into state_transition (subject, operation, from_state, to_state, who) values
    ('information_request', 'answerInformationRequest', 'open', 'answered', '{organisation}'),
    ('information_request', 'answerInformationRequest', 'open', 'nothing_held', '{organisation}'),
    ('information_request', 'answerInformationRequest', 'open', 'declined', '{organisation}'),
    ('information_request', 'changeInformationRequest', 'open', 'open', '{committee}'),
    ('information_request', 'changeInformationRequest', 'open', 'waived', '{committee}'),
    ('information_request', 'changeInformationRequest', 'open', 'withdrawn', '{committee}');

delete from state_refusal where (guidance, edition, subject) = ('child', '2024', 'information_request');
insert into state_refusal (subject, operation, rule, message) values
    ('information_request', 'answerInformationRequest', 'request_not_open',
        'The request is no longer open: {status}.'),
    ('information_request', 'changeInformationRequest', 'request_not_open',
        'The request is no longer open: {status}.');
