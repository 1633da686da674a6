-- The tables of statistics with their exact definitions, the released tables with their protection, and the days of the
-- releases.

create or replace function pg_temp.codes(list text) returns text[] language sql stable as $$
    select array_agg(e.code order by e.position) from code_entry e where e.list = codes.list
$$;

create or replace function pg_temp.kinds() returns text[] language sql stable as $$
    select array['committee', 'chief_officers_group', 'local_authority', 'health_board', 'police', 'prosecution',
        'reporter', 'inspectorate', 'national', 'third_sector', 'independent']
$$;

with given(code, label, count_of, dated_by, shape, snapshot, category, categories, figures, definition) as (values
    ('referrals_received', 'Referrals received', 'referrals', 'received_on of the referral', 'count', false, null::text,
        '{}'::text[], '{count}'::text[],
        'Referrals pushed to the register, whatever their outcome. A transferred referral counts at the committee that has it now.'),
    ('referrals_outcome', 'Outcome of referrals', 'referrals', 'received_on of the referral', 'count', false, 'status',
        '{open,accepted,rejected,withdrawn,transferred}', '{count}',
        'Referrals received in the period by their current status. `open` is submitted or acknowledged. A committee that transferred a referral counts it as `transferred`, the committee that has it now by its status; for all of Scotland it counts once, by its status.'),
    ('decisions', 'Decisions', 'reviews', 'decided_on of the decision', 'count', false, 'outcome',
        pg_temp.codes('decision-outcomes'), '{count,of_which_joint}',
        'Cases by the outcome of their current decision: a superseded decision does not count. A case transferred later counts at the committee that decided; a joint review counts once for Scotland and once for each of its committees, which therefore may not add up. A review is joint when another committee has, or had for more than a day, access to the case as joint committee.'),
    ('non_proceed_reasons', 'Reasons against a review', 'reviews', 'decided_on of the decision', 'multi', false, 'reason',
        pg_temp.codes('decision-reasons'), '{count,share,reviews}',
        'Decisions not to proceed, or for another way of learning, that give the reason. A decision may give several. `reviews` are all such decisions; `share` is the count divided by them.'),
    ('days_to_decision', 'Days to the decision', 'reviews', 'decided_on of the decision', 'decision_days', false, 'timeliness',
        '{on_time,late,no_due_day}', '{count,share,median_days,p90_days}',
        'Calendar days from the day on which the earliest referral of the case was received (the day it was opened, where it has none from before the decision) to the current decision. `on_time`: decided no later than the due date of the stage decision in which it was made, holds included; `share` is on time divided by on time and late. Median and 90th percentile are interpolated (type 7) and need five cases.'),
    ('info_return_on_time', 'Information returned on time', 'reviews', 'due_on of the information request', 'binary', false, 'timeliness',
        '{on_time,late}', '{count,share}',
        'Information requests whose due date has passed, without those waived or withdrawn. `on_time`: answered (also: nothing held, or declined) no later than the due date. Counts requests, of reviews.'),
    ('reviews_started', 'Reviews started', 'reviews', 'first day in the stage set_up', 'count', false, null, '{}',
        '{count,of_which_joint}',
        'Cases that entered the stage set_up for the first time. Merged cases count once, as the remaining case. For joint reviews see decisions.'),
    ('reviews_completed', 'Reviews completed', 'reviews', 'decided_on of the last ratification', 'count', false, null, '{}',
        '{count,of_which_joint}',
        'Cases whose report the chief officers ratified; only the last ratification counts. For joint reviews see decisions.'),
    ('days_to_complete', 'Days to completion', 'reviews', 'decided_on of the last ratification', 'days', false, 'basis',
        '{gross,net}', '{count,median_days,p90_days}',
        'Calendar days from the current decision to the ratification, of reviews ratified after it. `net` leaves out days on which a hold stopped a stage; days held twice count once. Interpolated (type 7), from five cases on.'),
    ('caseload', 'Caseload', 'reviews', 'the day of the reading; in a release, the day on which it was counted (as_of)', 'caseload', true, 'stage',
        array(select s.code from stage s where not s.terminal order by s.position),
        '{count,overdue,on_hold,median_age_days}',
        'Open cases by their current stage, at the committee that holds them. `overdue`: the (revised) due date of the stage has passed and the clock runs. `on_hold`: the clock is stopped. Age is counted from the day the case was opened.'),
    ('children', 'Children', 'children', 'decided_on of the decision', 'count', false, 'outcome', pg_temp.codes('outcomes'),
        '{count}',
        'Children of the cases decided in the period, by the outcome for the child as it is recorded now. Counts children, not reviews: a review may concern several.'),
    ('deaths_by_cause', 'Deaths by cause', 'children', 'decided_on of the decision', 'count', false, 'cause_of_death_group',
        pg_temp.codes('cause-of-death-groups') || text 'not_recorded', '{count}',
        'Children who died, of the cases decided in the period, by the group of the cause of death.'),
    ('factors', 'Factors', 'reviews', 'decided_on of the last ratification', 'multi', false, 'factor',
        pg_temp.codes('factors'), '{count,share,reviews}',
        'Completed reviews in which a finding names the factor. A review may have several. `reviews` are all completed reviews.'),
    ('themes', 'Themes', 'reviews', 'decided_on of the last ratification', 'multi', false, 'theme',
        pg_temp.codes('themes'), '{count,share,reviews}',
        'Completed reviews with at least one finding on the theme. By kind of finding, a review counts with each kind that it has on the theme. `reviews` are all completed reviews.'),
    ('family_involvement', 'Involvement of the family', 'reviews', 'decided_on of the last ratification', 'multi', false, 'who',
        '{family,child}', '{count,share,reviews}',
        '`family`: completed reviews in which at least one member of the family took part; `child`: those in which a child or young person of the family did. `reviews` are all completed reviews.'),
    ('publication', 'Publication', 'reviews', 'decided_on of the last ratification', 'publication', false, 'form',
        pg_temp.codes('publication-forms') || text 'not_decided',
        '{count,within_six_months,share_within_six_months,median_days}',
        'Ratified reviews by the decision on publication. `within_six_months`: published no later than six months after the ratification, divided by all ratified; median of the days from ratification to publication, of those published after it.'),
    ('notices_on_time', 'Notices of the outcome on time', 'reviews', 'decided_on of the last ratification', 'binary', false, 'timeliness',
        '{on_time,late}', '{count,share}',
        'Reviews ratified more than seven days ago. `on_time`: every notice of the outcome that was not withdrawn, and at least one, was sent no later than the seventh day after the ratification.'),
    ('holds', 'Holds', 'reviews', 'first day of the first hold', 'holds', false, 'proceeding_kind',
        pg_temp.codes('parallel-processes') || text 'none', '{count,median_days,reviews}',
        'Cases with a hold, by the kind of the proceedings that it is for: a case counts once for each kind, when its first hold of that kind began. The days of its holds of that kind are added up, once all are lifted. `reviews`: cases whose first hold of any kind began in the period.'),
    ('actions_open', 'Open actions', 'actions', 'the day of the reading; in a release, the day on which it was counted (as_of)', 'actions', true, null, '{}', '{count,overdue}',
        'Actions proposed, agreed or in progress, at the committee that holds the case. `overdue`: the due day has passed. By theme, an action counts with each of its themes.'),
    ('actions_on_time', 'Actions on time', 'actions', 'original_due_on of the action', 'binary', false, 'timeliness',
        '{on_time,late}', '{count,share}',
        'Actions whose original due date has passed, without superseded ones. `on_time`: completed (and verified, or not returned) no later than that date.'),
    ('action_slippage', 'Postponement of actions', 'actions', 'completed_on of the action', 'days', false, null, '{}',
        '{count,median_days,p90_days}',
        'Actions completed in the period: days from the original due date to the final due date. This is not their lateness: an action completed late without a new due date has 0. See action_lateness.'),
    ('impact_reviewed', 'Impact of actions reviewed', 'actions', 'one year after verified_on of the action', 'binary', false, 'impact',
        '{reviewed,not_reviewed}', '{count,share}',
        'Verified actions, dated by the day one year after their verification once it has passed. `reviewed`: at least one review of the impact within that year.'),
    ('action_lateness', 'Lateness of actions', 'actions', 'completed_on of the action', 'days', false, null, '{}',
        '{count,median_days,p90_days}',
        'Actions completed in the period: days from the original due date to completion; negative for those completed before it. Actions of cases erased before the register kept this figure are not included. Live view only.')),
placed as (select *, row_number() over () as position from given)
insert into statistic_table (code, position, label, count_of, dated_by, shape, snapshot, category, categories, figures,
        definition)
select code, position, label, count_of, dated_by, shape, snapshot, category, categories, figures, definition
from placed
on conflict (code) do update set position = excluded.position, label = excluded.label, count_of = excluded.count_of,
        dated_by = excluded.dated_by, shape = excluded.shape, snapshot = excluded.snapshot,
        category = excluded.category, categories = excluded.categories, figures = excluded.figures,
        definition = excluded.definition;

with given(table_code, code, groups) as (values
    ('referrals_received', 'source_kind', pg_temp.kinds()),
    ('referrals_outcome', 'reason', text 'none' || array(select e.code from code_entry e
        where e.list in ('rejection-reasons', 'withdrawal-reasons') group by e.code order by min(e.list), min(e.position))),
    ('decisions', 'edition', pg_temp.codes('guidance-editions')),
    ('decisions', 'criterion', pg_temp.codes('criteria')),
    ('info_return_on_time', 'organisation_kind', pg_temp.kinds()),
    ('reviews_started', 'review_type', pg_temp.codes('review-types')),
    ('reviews_completed', 'review_type', pg_temp.codes('review-types')),
    ('children', 'age_band', pg_temp.codes('age-bands')),
    ('children', 'sex', pg_temp.codes('sexes')),
    ('children', 'legal_status', pg_temp.codes('legal-statuses')),
    ('children', 'register_status', pg_temp.codes('register-statuses')),
    ('children', 'ethnic_group', pg_temp.codes('ethnic-groups')),
    ('children', 'disability', pg_temp.codes('disabilities')),
    ('themes', 'finding_kind', '{learning_point,effective_practice}'::text[]),
    ('actions_open', 'owner_kind', pg_temp.kinds()),
    ('actions_open', 'theme', pg_temp.codes('themes')),
    ('actions_on_time', 'owner_kind', pg_temp.kinds()))
insert into statistic_breakdown (table_code, code, groups)
select * from given
union all
-- The figures of all committees next to each other.
select t.code, 'committee', '{}' from statistic_table t
    where t.code in ('referrals_received', 'decisions', 'days_to_decision', 'reviews_started', 'reviews_completed',
        'caseload', 'actions_open', 'actions_on_time', 'action_slippage', 'action_lateness')
on conflict (table_code, code) do update set groups = excluded.groups;

insert into statistic_state (table_code, scope, version, changed_at)
select t.code, s.scope, nextval('statistic_version'), now()
from statistic_table t, (select code as scope from committee union all select '*') s
on conflict (table_code, scope) do nothing;

-- When statistics are first installed, everything that exists is counted.
do $$
begin
    insert into statistic_day (day, installed_on) values ('2000-01-01', today()) on conflict do nothing;
    if found then
        perform statistic_count_all();
    end if;
end
$$;

-- A universe is one whole, divided in different ways: children of three years, decisions of a year. The whole of the
-- causes of death is a cell of another table.
insert into statistic_released_table (table_code, breakdown, period_type, universe, parent, threshold, sensitive) values
    ('referrals_received', '', 'financial_year', 'referrals', null, 5, false),
    ('referrals_received', 'source_kind', 'financial_year', 'referrals', null, 5, false),
    ('referrals_outcome', '', 'financial_year', 'referrals', null, 5, false),
    ('decisions', '', 'financial_year', 'decisions', null, 5, false),
    ('decisions', 'committee', 'three_years', 'decisions', null, 5, false),
    ('days_to_decision', '', 'financial_year', 'decisions', null, 5, false),
    ('info_return_on_time', '', 'financial_year', 'information_requests', null, 5, false),
    ('reviews_started', '', 'financial_year', 'started', null, 5, false),
    ('reviews_started', 'review_type', 'financial_year', 'started', null, 5, false),
    ('reviews_completed', '', 'financial_year', 'completed', null, 5, false),
    ('reviews_completed', 'review_type', 'financial_year', 'completed', null, 5, false),
    ('days_to_complete', '', 'financial_year', 'completed', null, 10, false),
    ('caseload', '', 'release', 'caseload', null, 5, false),
    ('children', '', 'three_years', 'children', null, 5, false),
    ('children', 'age_band', 'three_years', 'children', null, 5, false),
    ('children', 'sex', 'three_years', 'children', null, 5, false),
    ('children', 'legal_status', 'three_years', 'children', null, 5, true),
    ('children', 'register_status', 'three_years', 'children', null, 5, true),
    ('children', 'ethnic_group', 'three_years', 'children', null, 10, true),
    ('children', 'disability', 'three_years', 'children', null, 10, true),
    ('deaths_by_cause', '', 'three_years', 'children', 'died', 10, true),
    ('factors', '', 'three_years', 'completed', null, 5, true),
    ('themes', '', 'financial_year', 'completed', null, 5, false),
    ('family_involvement', '', 'financial_year', 'completed', null, 5, false),
    ('publication', '', 'financial_year', 'completed', null, 5, false),
    ('notices_on_time', '', 'financial_year', 'completed', null, 5, false),
    ('actions_open', '', 'release', 'actions', null, 5, false),
    ('actions_on_time', '', 'financial_year', 'actions_due', null, 5, false),
    ('action_slippage', '', 'financial_year', 'actions_completed', null, 10, false),
    ('impact_reviewed', '', 'financial_year', 'actions_verified', null, 5, false)
on conflict (table_code, breakdown) do update set period_type = excluded.period_type, universe = excluded.universe,
        parent = excluded.parent, threshold = excluded.threshold, sensitive = excluded.sensitive;

-- One release a year, three months after the end of the financial year: the last Tuesday of June.
insert into statistic_release_plan (released_on, name, covers_to)
select (date_trunc('week', make_date(y, 6, 30)::timestamp - interval '1 day') + interval '1 day')::date, y::text,
    make_date(y, 4, 1)
from generate_series(2026, 2040) y
on conflict (released_on) do nothing;
