-- The staging table in a PostgreSQL reporting database, tried with PostgreSQL 15. Run it as the owner of the database:
--     psql -v ON_ERROR_STOP=1 -d reporting -f staging-postgresql.sql
--
-- Insert one row for each child, all rows of a referral in one transaction. The columns down to carm are those of
-- README.md; the kit writes the others. A row whose content changes becomes new and is sent again.
create schema if not exists learning_reviews_kit;

create table if not exists learning_reviews_kit.referral_row (
    id bigint generated always as identity primary key,
    source_system text,
    source_reference text not null,
    source_role text,
    committee text,
    local_authority text,
    notified_on text,
    aware_on text,
    incident_on text,
    incident_kind text,
    criteria_claimed text,
    basis text,
    immediate_concerns text,
    passed_to_organisation text,
    agencies_involved text,
    parallel_processes text,
    other_committees text,
    discussed_with_partners text,
    guidance_edition text,
    child_id text not null,
    family_id text,
    outcome text,
    age_band text,
    age_years text,
    sex text,
    ethnic_group text,
    disability text,
    legal_status text,
    register_status text,
    siblings_count_band text,
    known_to text,
    cause_of_death_group text,
    harm_types text,
    carm text,
    status text not null default 'new' check (status in ('new', 'sending', 'stored', 'refused')),
    batch text,
    referral_id text,
    problem_columns text,
    problem text,
    answered_at timestamptz,
    version integer,
    reference text,
    referral_status text,
    referral_committee text,
    acknowledged_on text,
    decided_on text,
    reason text,
    note text,
    case_reference text,
    case_stage text,
    case_decision text
);

create index if not exists referral_row_status on learning_reviews_kit.referral_row (status, id);
create index if not exists referral_row_reference
    on learning_reviews_kit.referral_row (coalesce(source_system, ''), coalesce(source_reference, ''));
create index if not exists referral_row_referral_id on learning_reviews_kit.referral_row (referral_id);

-- A corrected row is sent again. An answer to its former content does not overwrite that.
create or replace function learning_reviews_kit.content_changed() returns trigger language plpgsql as $$
begin
    new.status := 'new';
    new.batch := null;
    new.problem := null;
    new.problem_columns := null;
    return new;
end
$$;

create or replace trigger content_changed
    before update on learning_reviews_kit.referral_row for each row
    when ((old.source_system, old.source_reference, old.source_role, old.committee, old.local_authority,
        old.notified_on, old.aware_on, old.incident_on, old.incident_kind, old.criteria_claimed, old.basis,
        old.immediate_concerns, old.passed_to_organisation, old.agencies_involved, old.parallel_processes,
        old.other_committees, old.discussed_with_partners, old.guidance_edition, old.child_id, old.family_id,
        old.outcome, old.age_band, old.age_years, old.sex, old.ethnic_group, old.disability, old.legal_status,
        old.register_status, old.siblings_count_band, old.known_to, old.cause_of_death_group, old.harm_types,
        old.carm)
        is distinct from (new.source_system, new.source_reference, new.source_role, new.committee,
        new.local_authority, new.notified_on, new.aware_on, new.incident_on, new.incident_kind,
        new.criteria_claimed, new.basis, new.immediate_concerns, new.passed_to_organisation,
        new.agencies_involved, new.parallel_processes, new.other_committees, new.discussed_with_partners,
        new.guidance_edition, new.child_id, new.family_id, new.outcome, new.age_band, new.age_years, new.sex,
        new.ethnic_group, new.disability, new.legal_status, new.register_status, new.siblings_count_band,
        new.known_to, new.cause_of_death_group, new.harm_types, new.carm))
    execute function learning_reviews_kit.content_changed();

-- The role of the kit reads the rows, and writes status, answer and outcome only. Give it a password or a certificate.
do $$
begin
    if not exists (select from pg_roles where rolname = 'learning_reviews_kit') then
        create role learning_reviews_kit login;
    end if;
end
$$;
grant usage on schema learning_reviews_kit to learning_reviews_kit;
grant select on learning_reviews_kit.referral_row to learning_reviews_kit;
grant update (status, batch, referral_id, problem_columns, problem, answered_at, version, reference,
        referral_status, referral_committee, acknowledged_on, decided_on, reason, note, case_reference,
        case_stage, case_decision)
    on learning_reviews_kit.referral_row to learning_reviews_kit;
