-- Who may see and change what: row-level security behind the service's own checks. The policies of a table stand in the
-- access.sql of its subject.
--
-- The claims are settings of the transaction (sql/core/queries.sql). An unset claim is null or '' and equals no code:
-- a transaction without claims sees nothing.
--
-- register.committee: the committee that the caller is. register.area: the committee whose register it may read whole
-- (the committee itself, or its chief officers group). register.granted and register.liaison: single cases opened to
-- the caller (case_access). register.offered: cases that another committee offers it, which it may read only
-- (case_transfer).

-- The calendar day in Scotland, whatever the time zone of server or session.
create or replace function scottish_day(instant timestamptz) returns date language sql stable as $$
    select (instant at time zone 'Europe/London')::date
$$;

create or replace function today() returns date language sql stable as $$
    select scottish_day(now())
$$;

create or replace function claim(name text) returns text language sql stable as $$
    select current_setting('register.' || name, true)
$$;

-- The caller's organisation where what belongs to it belongs to the caller. A code that several bodies share is nobody's
-- organisation: '', which equals no code.
create or replace function own_organisation() returns text language sql stable as $$
    select case when current_setting('register.collective', true) = 'true' then ''
        else current_setting('register.organisation', true) end
$$;

create or replace function has_scope(scope text) returns boolean language sql stable as $$
    select strpos(current_setting('register.scopes', true), ' ' || scope || ' ') > 0
$$;

create or replace function has_any_scope(variadic scopes text[]) returns boolean language sql stable as $$
    select string_to_array(trim(current_setting('register.scopes', true)), ' ') && scopes
$$;

-- The cases that a single grant opens to the caller, whichever committee they belong to (see case_access).
create or replace function granted_cases() returns uuid[] language sql stable as $$
    select coalesce(nullif(current_setting('register.granted', true), ''), '{}')::uuid[]
$$;

-- The cases of which the caller sees the proceedings only.
create or replace function liaison_cases() returns uuid[] language sql stable as $$
    select coalesce(nullif(current_setting('register.liaison', true), ''), '{}')::uuid[]
$$;

-- The cases that another committee offers to the caller's: it may read what it is asked to take over (see case_transfer).
create or replace function offered_cases() returns uuid[] language sql stable as $$
    select coalesce(nullif(current_setting('register.offered', true), ''), '{}')::uuid[]
$$;

-- The cases of other committees that the caller may read whole.
create or replace function readable_cases() returns uuid[] language sql stable as $$
    select granted_cases() || offered_cases()
$$;

-- The first day on which a rule or an erasure that is announced now may count.
create or replace function notice_ends() returns date language sql stable as $$
    select today() + n.days from retention_notice n
$$;

create or replace function organisation_kind(p_code text) returns text language plpgsql stable as $$
begin
    return (select o.kind from organisation o where o.code = p_code);
end
$$;

-- Any scope with which somebody works on cases: functions that change a case read it first.
create or replace function works_on_cases() returns boolean language sql stable as $$
    select has_any_scope('cases.read', 'cases.write', 'decisions.write', 'reviews.write', 'actions.write',
        'proceedings.read', 'proceedings.write', 'ratification.write', 'retention.write', 'holds.legal')
$$;

-- Row-level security without a policy for the service: it sees nothing of the table but what later statements allow.
create or replace function close_table(name text) returns void language plpgsql as $$
begin
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy owner_all on %I to register_owner using (true)', name);
    execute format('revoke all on %I from register_service', name);
end
$$;

-- A part of a case: its committee, its chief officers and whoever has access to the case read it. The committee's
-- clients with one of the scopes write it, and with `shared` so do those with access.
create or replace function open_case_part(name text, writers text[], shared boolean default false) returns void
language plpgsql as $$
declare
    writes text := format('%s and (select has_any_scope(variadic %L))', case when shared
        then '(committee = (select claim(''committee'')) or case_id = any ((select granted_cases())::uuid[]))'
        else 'committee = (select claim(''committee''))' end, writers);
begin
    execute format('grant select, insert, update on %I to register_service', name);
    execute format('create policy service_read on %I for select to register_service using (
        (committee = (select claim(''area'')) or case_id = any ((select readable_cases())::uuid[]))
        and (select works_on_cases()))', name);
    execute format('create policy service_insert on %I for insert to register_service with check (%s)', name, writes);
    execute format('create policy service_update on %I for update to register_service using (%s)', name, writes);
end
$$;

-- Every table of a committee is closed, so that none can be forgotten.
do $$
declare
    name text;
begin
    for name in select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace = 'register'::regnamespace and c.relkind = 'r' and a.attname = 'committee'
                and c.relname not in ('committee', 'local_authority', 'organisation') loop
        perform close_table(name);
    end loop;
    perform close_table('exclusion'); -- asked with the claims of each request (is_excluded)
    perform close_table('idempotency_key');
end
$$;

grant select, insert, update, delete on idempotency_key to register_service;

create policy service_read on idempotency_key for select to register_service using (
    organisation = (select claim('organisation')) or created_at < now() - interval '7 days');
create policy service_insert on idempotency_key for insert to register_service with check (
    organisation = (select claim('organisation')) and client = (select claim('client')));
create policy service_update on idempotency_key for update to register_service using (
    organisation = (select claim('organisation')) and client = (select claim('client')));
create policy service_delete on idempotency_key for delete to register_service using (
    created_at < now() - interval '7 days');
