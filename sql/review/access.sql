select open_case_part('mandate', array['cases.write']);
select open_case_part('team_member', array['cases.write']);
select open_case_part('family_liaison', array['cases.write']);
select open_case_part('family_engagement', array['reviews.write'], true);
select open_case_part('practitioner_engagement', array['reviews.write'], true);
select open_case_part('finding', array['reviews.write'], true);
select open_case_part('strategy', array['reviews.write'], true);
