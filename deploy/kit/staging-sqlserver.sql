-- The staging table in a SQL Server reporting database. NOT RUN: only parsed (sqlfluff); try it before you rely on it.
-- The kit does not connect to SQL Server. Export the view as a CSV file into the folder in/ of the kit, and load
-- NAME.results.csv and outcomes.csv into their tables: both directions then work as README.md describes for CSV files.
create schema learning_reviews_kit;
go

create table learning_reviews_kit.referral_row (
    id bigint identity(1, 1) not null primary key,
    source_system nvarchar(64) null,
    source_reference nvarchar(128) not null,
    source_role nvarchar(64) null,
    committee nvarchar(64) null,
    local_authority nvarchar(64) null,
    notified_on nvarchar(64) null,
    aware_on nvarchar(64) null,
    incident_on nvarchar(64) null,
    incident_kind nvarchar(64) null,
    criteria_claimed nvarchar(1000) null,
    basis nvarchar(4000) null,
    immediate_concerns nvarchar(64) null,
    passed_to_organisation nvarchar(64) null,
    agencies_involved nvarchar(1000) null,
    parallel_processes nvarchar(1000) null,
    other_committees nvarchar(1000) null,
    discussed_with_partners nvarchar(64) null,
    guidance_edition nvarchar(64) null,
    child_id nvarchar(64) not null,
    family_id nvarchar(64) null,
    outcome nvarchar(64) null,
    age_band nvarchar(64) null,
    age_years nvarchar(64) null,
    sex nvarchar(64) null,
    ethnic_group nvarchar(64) null,
    disability nvarchar(64) null,
    legal_status nvarchar(64) null,
    register_status nvarchar(64) null,
    siblings_count_band nvarchar(64) null,
    known_to nvarchar(1000) null,
    cause_of_death_group nvarchar(64) null,
    harm_types nvarchar(1000) null,
    carm nvarchar(64) null,
    exported_at datetime2 null
);
go

-- The columns of results.csv. Load each file once, for example with bulk insert or the import wizard.
create table learning_reviews_kit.result_row (
    line int null,
    source_system nvarchar(64) null,
    source_reference nvarchar(128) null,
    child_id nvarchar(64) null,
    status nvarchar(16) null,
    referral_id nvarchar(36) null,
    problem_columns nvarchar(1000) null,
    problem nvarchar(4000) null
);
go

-- The columns of outcomes.csv. The file has all outcomes: empty the table before you load it.
create table learning_reviews_kit.outcome_row (
    source_system nvarchar(64) null,
    source_reference nvarchar(128) null,
    referral_id nvarchar(36) null,
    reference nvarchar(64) null,
    referral_status nvarchar(64) null,
    referral_committee nvarchar(64) null,
    acknowledged_on nvarchar(64) null,
    decided_on nvarchar(64) null,
    reason nvarchar(64) null,
    note nvarchar(2000) null,
    case_reference nvarchar(64) null,
    case_stage nvarchar(64) null,
    case_decision nvarchar(64) null
);
go

-- The rows to export. After the export set exported_at; a corrected row gets null in it and is exported again.
create view learning_reviews_kit.referral_to_send as
select
    source_system,
    source_reference,
    source_role,
    committee,
    local_authority,
    notified_on,
    aware_on,
    incident_on,
    incident_kind,
    criteria_claimed,
    basis,
    immediate_concerns,
    passed_to_organisation,
    agencies_involved,
    parallel_processes,
    other_committees,
    discussed_with_partners,
    guidance_edition,
    child_id,
    family_id,
    outcome,
    age_band,
    age_years,
    sex,
    ethnic_group,
    disability,
    legal_status,
    register_status,
    siblings_count_band,
    known_to,
    cause_of_death_group,
    harm_types,
    carm
from learning_reviews_kit.referral_row
where exported_at is null;
go
