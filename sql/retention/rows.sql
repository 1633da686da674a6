-- How long closed cases are kept; rows of committees remain unchanged.
insert into retention_rule (committee, months, valid_from, announced_on) values
    (null, 120, '2012-01-01', '2012-01-01')
on conflict (committee, valid_from) where withdrawn_on is null
    do update set months = excluded.months, announced_on = excluded.announced_on
    where (retention_rule.months, retention_rule.announced_on) is distinct from (excluded.months, excluded.announced_on);

-- The moves of erasures and of retention rules (retention_rule_state). The register itself stops an erasure when a fact
-- changes that decides how long the case or referral is kept.
delete from state_transition where (guidance, edition) = ('child', '2024') and subject in ('erasure', 'retention_rule');
insert into state_transition (subject, operation, from_state, to_state, who, guards) values
    ('erasure', 'stopErasure', 'announced', 'stopped', '{committee}', '{}'),
    ('erasure', 'anonymiseCase', 'announced', 'carried_out', '{committee}',
        '{announced_by_another,erasure_day_reached}'),
    ('erasure', 'anonymiseReferral', 'announced', 'carried_out', '{committee}',
        '{announced_by_another,erasure_day_reached}'),
    ('retention_rule', 'withdrawRetentionRule', 'pending', 'withdrawn', '{committee}', '{}');

delete from state_guard where (guidance, edition, subject) = ('child', '2024', 'erasure');
insert into state_guard (subject, code, rule, message) values
    ('erasure', 'announced_by_another', 'separation_of_duties',
        'The client that announced the erasure cannot carry it out.'),
    ('erasure', 'erasure_day_reached', 'before_erasure_day',
        'The erasure is announced for {not_before} and may be stopped until then.');

delete from state_refusal where (guidance, edition) = ('child', '2024') and subject in ('erasure', 'retention_rule');
insert into state_refusal (subject, operation, rule, message) values
    ('erasure', 'stopErasure', 'erasure_stopped', 'The erasure was already stopped.'),
    ('erasure', 'anonymiseCase', 'erasure_not_announced', 'The erasure must be announced first.'),
    ('erasure', 'anonymiseReferral', 'erasure_not_announced', 'The erasure must be announced first.'),
    ('retention_rule', 'withdrawRetentionRule', 'rule_not_pending',
        'The rule has begun or was withdrawn. Add another rule instead.');
