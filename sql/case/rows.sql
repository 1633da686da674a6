-- The life of a case: its stages, the moves between them, the guards of each move, and the time that a stage may take.

insert into stage (code, position, label, description, terminal) values
    ('notification', 1, 'Notification',
        'A referral was accepted. The children and the criteria are recorded and the '
        || 'referrers get their acknowledgement.', false),
    ('information_gathering', 2, 'Information gathering',
        'The agencies involved give a short account of their work with the child, as '
        || 'far as the decision needs it.', false),
    ('recommendation', 3, 'Recommendation',
        'A nominated person or sub-group summarises the known facts and recommends a decision.', false),
    ('decision', 4, 'Decision',
        'The committee decides: a learning review, another way of learning, no review, '
        || 'or more information first.', false),
    ('set_up', 5, 'Setting up',
        'The review gets its scope, its team, and its plans for the family and for staff.', false),
    ('review', 6, 'Review',
        'Practitioners, agencies and the family identify the learning with the review team.', false),
    ('reporting', 7, 'Reporting',
        'The report is written, checked for accuracy and agreed by the committee.', false),
    ('ratification', 8, 'Ratification',
        'The chief officers consider the report and ratify it or request changes.', false),
    ('implementation', 9, 'Implementation',
        'The action plan is put into practice and the learning is shared.', false),
    ('evaluation', 10, 'Evaluation',
        'The committee evaluates whether the actions had the intended effect.', false),
    ('closed', 11, 'Closed',
        'The case is complete. It can be re-opened for a stated reason.', true)
on conflict (code) do update set (position, label, description, terminal)
    = (excluded.position, excluded.label, excluded.description, excluded.terminal);

-- Each code has a function guard_<code>.
with given(code, message, responsible) as (values
    ('child_recorded', 'At least one child must be recorded.', 'committee'),
    ('criteria_supported', 'The outcome of a child must support each criterion.', 'committee'),
    ('referrers_acknowledged', 'Each referral of the case must be acknowledged.', 'committee'),
    ('information_returned', 'Each information request must be answered, withdrawn or waived.', 'agency'),
    ('recommendation_made', 'A recommendation with the child''s current circumstances must be recorded.',
        'committee'),
    ('decision_recorded', 'The decision must be recorded.', 'committee'),
    ('decided_to_proceed', 'The recorded decision must be to proceed with a review.', 'committee'),
    ('decided_not_to_proceed', 'The recorded decision must be not to proceed.', 'committee'),
    ('decided_alternative_review', 'The recorded decision must be an alternative review.', 'committee'),
    ('decided_more_information', 'The recorded decision must be that more information is needed.', 'committee'),
    ('notices_sent', 'Each notice of the decision must be sent.', 'committee'),
    ('family_informed', 'The family must be informed of the decision, or a reason to wait recorded.',
        'committee'),
    ('mandate_agreed', 'The mandate of the review must be agreed.', 'committee'),
    ('team_appointed', 'A chair and a reviewer must be appointed.', 'committee'),
    ('team_multi_agency', 'The team must come from at least two organisations.', 'committee'),
    ('family_liaison_agreed', 'The family liaison strategy must be agreed.', 'committee'),
    ('staff_support_planned', 'The mandate must include a plan for staff support.', 'committee'),
    ('prosecution_contacted', 'For all open proceedings, contact must be made with the bodies that lead them.',
        'committee'),
    ('not_on_hold', 'The hold on the current stage must be lifted.', 'committee'),
    ('practitioners_engaged', 'An engagement of practitioners must be recorded, or the reason why there is none.',
        'review_team'),
    ('family_invitations_answered', 'The family must be invited, or a reason given, and each answer recorded.',
        'review_team'),
    ('learning_recorded', 'At least one finding must be recorded.', 'review_team'),
    ('alternative_outcome_notified', 'The notices of the result of the alternative review must be sent.',
        'committee'),
    ('report_drafted', 'The report must be drafted with all required sections.', 'review_team'),
    ('accuracy_checked', 'The accuracy of the draft must be checked.', 'review_team'),
    ('report_agreed', 'The committee must agree the report.', 'committee'),
    ('strategies_or_reason', 'A strategy must be recorded, or the reason why there is none.', 'review_team'),
    ('prosecution_consulted', 'While proceedings are open, the bodies that lead them must be consulted on the report.',
        'committee'),
    ('report_ratified', 'The chief officers must ratify the report.', 'chief_officers_group'),
    ('changes_requested', 'The chief officers must request changes to the report.', 'chief_officers_group'),
    ('plan_considered', 'The chief officers must consider the action plan.', 'chief_officers_group'),
    ('actions_ended', 'Each action must be verified, not achieved or superseded.', 'action_owner'),
    ('impact_reviewed', 'The impact of a verified action must be reviewed.', 'committee'),
    ('publication_decided', 'The form of publication must be decided.', 'committee'),
    ('publication_ended', 'The report must be published, or the decision not to publish recorded.', 'committee'),
    ('outcome_notified', 'Each notice of the outcome must be sent.', 'committee'),
    ('hub_submitted', 'The data set of each child who died must be submitted to the National Hub.', 'committee'),
    ('evaluation_recorded', 'The evaluation must be recorded.', 'committee'),
    ('discontinuation_agreed', 'The committee and the chief officers must agree to discontinue.', 'committee'),
    ('not_merged', 'The case must not be merged into another case.', 'committee')),
gone as (delete from stage_guard where code not in (select code from given))
insert into stage_guard (code, message, responsible)
select code, message, responsible from given
on conflict (code) do update set (message, responsible) = (excluded.message, excluded.responsible);

-- A legal hold does not prevent closing: it governs what may be erased. Re-opening into the later stages requires the
-- decision to proceed, because a case without it could not leave them; such a case is re-opened into the stage
-- decision. Re-opening into implementation requires the ratified report for the same reason.
with given(from_stage, to_stage, way, label, closure, reasons, guards) as (values
    ('notification', 'information_gathering', 'ordinary', 'Ask the agencies', null::text, '{}'::text[],
        '{child_recorded,criteria_supported,referrers_acknowledged}'::text[]),
    ('notification', 'closed', 'discontinue', 'Discontinue', 'discontinued', '{discontinued}', '{}'),
    ('information_gathering', 'recommendation', 'ordinary', 'Start the recommendation', null, '{}',
        '{information_returned}'),
    ('information_gathering', 'closed', 'discontinue', 'Discontinue', 'discontinued', '{discontinued}', '{}'),
    ('recommendation', 'decision', 'ordinary', 'Put to the committee', null, '{}', '{recommendation_made}'),
    ('recommendation', 'closed', 'discontinue', 'Discontinue', 'discontinued', '{discontinued}', '{}'),
    ('decision', 'information_gathering', 'return', 'Ask for more information', null, '{}',
        '{decision_recorded,decided_more_information}'),
    ('decision', 'set_up', 'ordinary', 'Set the review up', null, '{}',
        '{decision_recorded,decided_to_proceed,notices_sent,family_informed}'),
    ('decision', 'review', 'ordinary', 'Start the alternative review', null, '{}',
        '{decision_recorded,decided_alternative_review,notices_sent}'),
    ('decision', 'closed', 'ordinary', 'Close without a review', 'did_not_proceed', '{}',
        '{decision_recorded,decided_not_to_proceed,notices_sent}'),
    ('set_up', 'review', 'ordinary', 'Start the review', null, '{}',
        '{mandate_agreed,team_appointed,team_multi_agency,family_liaison_agreed,staff_support_planned,prosecution_contacted}'),
    ('set_up', 'closed', 'discontinue', 'Discontinue', 'discontinued', '{discontinued}',
        '{discontinuation_agreed}'),
    ('review', 'reporting', 'ordinary', 'Write the report', null, '{}',
        '{decided_to_proceed,practitioners_engaged,family_invitations_answered,not_on_hold}'),
    ('review', 'closed', 'discontinue', 'Discontinue', 'discontinued', '{discontinued}',
        '{discontinuation_agreed}'),
    ('review', 'closed', 'ordinary', 'Complete the alternative review', 'alternative_completed', '{}',
        '{decided_alternative_review,learning_recorded,actions_ended,alternative_outcome_notified}'),
    ('reporting', 'ratification', 'ordinary', 'Put to the chief officers', null, '{}',
        '{report_drafted,accuracy_checked,report_agreed,strategies_or_reason,prosecution_consulted,not_on_hold}'),
    ('reporting', 'closed', 'discontinue', 'Discontinue', 'discontinued', '{discontinued}',
        '{discontinuation_agreed}'),
    ('ratification', 'reporting', 'return', 'Change the report', null, '{changes_requested}',
        '{changes_requested}'),
    ('ratification', 'implementation', 'ordinary', 'Put the plan into practice', null, '{}', '{report_ratified}'),
    ('ratification', 'closed', 'discontinue', 'Discontinue', 'discontinued', '{discontinued}',
        '{discontinuation_agreed}'),
    ('implementation', 'evaluation', 'ordinary', 'Evaluate', null, '{}',
        '{plan_considered,publication_decided,actions_ended}'),
    ('implementation', 'closed', 'discontinue', 'Discontinue', 'discontinued', '{discontinued}',
        '{discontinuation_agreed}'),
    ('evaluation', 'closed', 'ordinary', 'Complete', 'completed', '{}',
        '{actions_ended,impact_reviewed,evaluation_recorded,publication_ended,outcome_notified,hub_submitted}'),
    ('evaluation', 'closed', 'discontinue', 'Discontinue', 'discontinued', '{discontinued}',
        '{discontinuation_agreed}'),
    ('closed', 'information_gathering', 'reopen', 'Re-open: gather information', null,
        '{new_information,proceedings_ended,fai_determination,error}', '{not_merged}'),
    ('closed', 'decision', 'reopen', 'Re-open: decide', null,
        '{new_information,proceedings_ended,fai_determination,error}', '{not_merged}'),
    ('closed', 'set_up', 'reopen', 'Re-open: set up', null,
        '{new_information,proceedings_ended,fai_determination,error}', '{not_merged,decided_to_proceed}'),
    ('closed', 'review', 'reopen', 'Re-open: review', null,
        '{new_information,proceedings_ended,fai_determination,error}', '{not_merged,decided_to_proceed}'),
    ('closed', 'reporting', 'reopen', 'Re-open: change the report', null,
        '{new_information,proceedings_ended,fai_determination,error}', '{not_merged,decided_to_proceed}'),
    ('closed', 'implementation', 'reopen', 'Re-open: implementation', null,
        '{new_information,proceedings_ended,fai_determination,error}',
        '{not_merged,decided_to_proceed,report_ratified}')),
gone as (delete from stage_transition t where not exists (
    select from given g where (g.from_stage, g.to_stage, g.way) = (t.from_stage, t.to_stage, t.way)))
insert into stage_transition (from_stage, to_stage, way, label, closure, reasons, guards)
select from_stage, to_stage, way, label, closure, reasons, guards from given
on conflict (from_stage, to_stage, way) do update set (label, closure, reasons, guards)
    = (excluded.label, excluded.closure, excluded.reasons, excluded.guards);

-- The defaults; rows of committees remain unchanged. Implementation takes as long as its plan says. The days for
-- information gathering: Adult guidance 2022, web page 8. The others are the register's own.
insert into timescale (stage, committee, amount, unit, valid_from) values
    ('notification', null, 5, 'working_days', '2012-01-01'),
    ('information_gathering', null, 14, 'calendar_days', '2012-01-01'),
    ('recommendation', null, 14, 'calendar_days', '2012-01-01'),
    ('decision', null, 14, 'calendar_days', '2012-01-01'),
    ('set_up', null, 28, 'calendar_days', '2012-01-01'),
    ('review', null, 4, 'months', '2012-01-01'),
    ('reporting', null, 2, 'months', '2012-01-01'),
    ('ratification', null, 1, 'months', '2012-01-01'),
    ('evaluation', null, 12, 'months', '2012-01-01')
on conflict (stage, committee, valid_from) do update set (amount, unit) = (excluded.amount, excluded.unit);
