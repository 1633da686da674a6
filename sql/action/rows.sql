-- The moves of actions. The owner starts an action, reports on it, asks for more time and completes it; the
-- committee decides the rest. The
-- refusal of mergeActions names each action that has ended (actions_merge).

delete from state_transition where (guidance, edition, subject) = ('child', '2024', 'action');
insert into state_transition (subject, operation, from_state, to_state, who, guards) values
    ('action', 'changeAction', 'proposed', 'agreed', '{committee}', '{}'),
    ('action', 'changeAction', 'proposed', 'not_achieved', '{committee}', '{}'),
    ('action', 'changeAction', 'proposed', 'superseded', '{committee}', '{}'),
    ('action', 'changeAction', 'agreed', 'in_progress', '{committee,owner_organisation}', '{}'),
    ('action', 'changeAction', 'agreed', 'not_achieved', '{committee}', '{}'),
    ('action', 'changeAction', 'agreed', 'superseded', '{committee}', '{}'),
    ('action', 'changeAction', 'in_progress', 'not_achieved', '{committee}', '{}'),
    ('action', 'changeAction', 'in_progress', 'superseded', '{committee}', '{}'),
    ('action', 'changeAction', 'completed', 'not_achieved', '{committee}', '{}'),
    ('action', 'changeAction', 'completed', 'superseded', '{committee}', '{}'),
    ('action', 'addActionUpdate', 'agreed', 'in_progress', '{committee,owner_organisation}', '{}'),
    ('action', 'addActionUpdate', 'in_progress', 'in_progress', '{committee,owner_organisation}', '{}'),
    ('action', 'completeAction', 'agreed', 'completed', '{committee,owner_organisation}', '{dependencies_ended}'),
    ('action', 'completeAction', 'in_progress', 'completed', '{committee,owner_organisation}', '{dependencies_ended}'),
    ('action', 'verifyAction', 'completed', 'verified', '{committee}', '{completed_by_another}'),
    ('action', 'verifyAction', 'completed', 'in_progress', '{committee}', '{completed_by_another}'),
    ('action', 'requestExtension', 'agreed', 'agreed', '{owner_organisation}', '{}'),
    ('action', 'requestExtension', 'in_progress', 'in_progress', '{owner_organisation}', '{}'),
    ('action', 'answerExtension', 'agreed', 'agreed', '{committee}', '{extension_requested}'),
    ('action', 'answerExtension', 'in_progress', 'in_progress', '{committee}', '{extension_requested}'),
    ('action', 'splitAction', 'proposed', 'superseded', '{committee}', '{}'),
    ('action', 'splitAction', 'agreed', 'superseded', '{committee}', '{}'),
    ('action', 'splitAction', 'in_progress', 'superseded', '{committee}', '{}'),
    ('action', 'splitAction', 'completed', 'superseded', '{committee}', '{}'),
    ('action', 'mergeActions', 'proposed', 'superseded', '{committee}', '{}'),
    ('action', 'mergeActions', 'agreed', 'superseded', '{committee}', '{}'),
    ('action', 'mergeActions', 'in_progress', 'superseded', '{committee}', '{}'),
    ('action', 'mergeActions', 'completed', 'superseded', '{committee}', '{}');

delete from state_guard where (guidance, edition, subject) = ('child', '2024', 'action');
insert into state_guard (subject, code, rule, message) values
    ('action', 'dependencies_ended', 'dependency_open', 'An action on which this one depends has not ended.'),
    ('action', 'extension_requested', 'no_extension_request', 'No request for more time waits for an answer.'),
    ('action', 'completed_by_another', 'separation_of_duties',
        'The client that reported the completion cannot verify it.');

delete from state_refusal where (guidance, edition, subject) = ('child', '2024', 'action');
insert into state_refusal (subject, operation, from_state, pointer, rule, message) values
    ('action', 'changeAction', null, '/status', 'not_a_transition', 'cannot follow the status {status}'),
    ('action', 'changeAction', 'verified', null, 'action_ended', 'The action has ended as {status}.'),
    ('action', 'changeAction', 'not_achieved', null, 'action_ended', 'The action has ended as {status}.'),
    ('action', 'changeAction', 'superseded', null, 'action_ended', 'The action has ended as {status}.'),
    ('action', 'addActionUpdate', null, null, 'not_in_progress',
        'Progress can only be reported on an action that is agreed or in progress; this one is {status}.'),
    ('action', 'completeAction', null, null, 'not_in_progress',
        'Only an action that is agreed or in progress can be completed; this one is {status}.'),
    ('action', 'verifyAction', null, null, 'not_completed',
        'Only a completed action can be verified; this one is {status}.'),
    ('action', 'requestExtension', null, null, 'not_in_progress',
        'More time is possible only for an action that is agreed or in progress; this one is {status}.'),
    ('action', 'answerExtension', null, null, 'not_in_progress',
        'More time is possible only for an action that is agreed or in progress; this one is {status}.'),
    ('action', 'splitAction', null, null, 'action_ended', 'The action has ended as {status}.');
