-- Figures on reviews in Scotland published before the register began: margins only, as the reports state them.
grant select on published_review, published_figure to register_service;

insert into published_review (code, title, publisher, period_from, period_to, source, note) values
    ('triennial_2018_2021', 'Triennial review of initial case reviews and significant case reviews, 2018-2021',
        'Care Inspectorate', '2018-04-01', '2021-04-01',
        'https://www.willispalmer.com/neglect-most-common-feature-in-non-fatal-significant-case-reviews-in-scotland',
        'Of the guidance of 2015: an initial case review that went no further is a decision not to proceed, a significant case review one to proceed. Counted as closed, not as decided.'),
    ('significant_2015_2018', 'Learning from significant case reviews, March 2015 to April 2018',
        'Care Inspectorate', '2015-03-01', '2018-05-01',
        'https://careappointments.com/features/reports-resources/128393/report-learning-from-significant-case-reviews-march-2015-to-april-2018-care-inspectorate',
        'Significant case reviews only, without the initial case reviews that went no further.')
on conflict (code) do update set title = excluded.title, publisher = excluded.publisher,
        period_from = excluded.period_from, period_to = excluded.period_to, source = excluded.source,
        note = excluded.note;

insert into published_figure (review, position, subject, dimension, category, value, comparable_with)
select review, row_number() over (partition by review), subject, dimension, category, value, comparable
from (values
    ('triennial_2018_2021', 'reviews', 'total', 'all', 75, 'decisions'),
    ('triennial_2018_2021', 'reviews', 'closed_as', 'initial_case_review', 50, 'decisions/do_not_proceed'),
    ('triennial_2018_2021', 'reviews', 'closed_as', 'significant_case_review', 23, 'decisions/proceed'),
    ('triennial_2018_2021', 'reviews', 'closed_as', 'thematic_review', 2, 'decisions/proceed'),
    ('triennial_2018_2021', 'reviews', 'after_a_death', 'all', 28, null),
    ('triennial_2018_2021', 'reviews', 'cause_of_death_group', 'suicide', 8, 'deaths_by_cause/suicide'),
    ('triennial_2018_2021', 'reviews', 'cause_of_death_group', 'drug_related', 7, 'deaths_by_cause/drug_related'),
    ('triennial_2018_2021', 'children', 'main_feature', 'neglect', 35, null),
    ('significant_2015_2018', 'reviews', 'total', 'all', 25, 'decisions/proceed'),
    ('significant_2015_2018', 'children', 'total', 'all', 44, 'children'),
    ('significant_2015_2018', 'reviews', 'main_feature', 'abuse_or_neglect', 22, null),
    ('significant_2015_2018', 'reviews', 'main_feature_child_under_five', 'abuse_or_neglect', 19, null)
) figures(review, subject, dimension, category, value, comparable)
on conflict (review, position) do update set subject = excluded.subject, dimension = excluded.dimension,
        category = excluded.category, value = excluded.value, comparable_with = excluded.comparable_with;
