-- The moves of transfers and of accesses to a case (access_state). The committee asked accepts or refuses a transfer;
-- the committee that proposed it may withdraw it.

delete from state_transition where (guidance, edition) = ('child', '2024') and subject in ('transfer', 'access');
insert into state_transition (subject, operation, from_state, to_state, who) values
    ('transfer', 'acceptTransfer', 'proposed', 'accepted', '{to_committee}'),
    ('transfer', 'refuseTransfer', 'proposed', 'refused', '{to_committee}'),
    ('transfer', 'withdrawTransfer', 'proposed', 'withdrawn', '{from_committee}'),
    ('access', 'changeAccess', 'open', 'open', '{committee}'),
    ('access', 'changeAccess', 'open', 'ended', '{committee}');

delete from state_refusal where (guidance, edition) = ('child', '2024') and subject in ('transfer', 'access');
insert into state_refusal (subject, operation, rule, message) values
    ('transfer', 'acceptTransfer', 'transfer_decided', 'The transfer has been decided or withdrawn.'),
    ('transfer', 'refuseTransfer', 'transfer_decided', 'The transfer has been decided or withdrawn.'),
    ('transfer', 'withdrawTransfer', 'transfer_decided', 'The transfer has been decided or withdrawn.'),
    ('access', 'changeAccess', 'access_ended', 'The access has ended. Grant it again.');
