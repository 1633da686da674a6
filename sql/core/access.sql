-- Row-level security: who may see and change which rows, independently of the checks of the service. The access.sql of
-- a subject has the policies of its tables.
--
-- The claims are settings of the transaction (sql/core/queries.sql). An unset claim is null or '' and equals no code:
-- a transaction without claims sees nothing.
--
-- register.committee: the committee that the caller is. register.area: the committee whose whole register it may read
-- (its own, or for a chief officers group that of its area). register.granted and register.liaison: single cases opened
-- to the caller (case_access). register.offered: cases that another committee offers it and that it may only read
-- (case_transfer).

-- Returns the calendar day in Scotland at an instant, whatever the time zone of the server or the session.
create or replace function scottish_day(instant timestamptz) returns date language sql stable as $$
    select (instant at time zone 'Europe/London')::date
$$;

-- Returns the calendar day in Scotland when the transaction began.
create or replace function today() returns date language sql stable as $$
    select scottish_day(now())
$$;

-- Returns a claim of the transaction: null if it was never set, '' if the caller has none.
create or replace function claim(name text) returns text language sql stable as $$
    select current_setting('register.' || name, true)
$$;

-- Returns the caller's organisation, for rows that belong to the organisation that sent or received them. Returns '',
-- which equals no code, for a code that several bodies share: no one of them may see the rows of another.
create or replace function own_organisation() returns text language sql stable as $$
    select case when current_setting('register.collective', true) = 'true' then ''
        else current_setting('register.organisation', true) end
$$;

-- Whether the caller has the scope; null if no claims are set.
create or replace function has_scope(scope text) returns boolean language sql stable as $$
    select strpos(current_setting('register.scopes', true), ' ' || scope || ' ') > 0
$$;

-- Whether the caller has at least one of the scopes; null if no claims are set.
create or replace function has_any_scope(variadic scopes text[]) returns boolean language sql stable as $$
    select string_to_array(trim(current_setting('register.scopes', true)), ' ') && scopes
$$;

-- Returns the cases that single grants open to the caller, whichever committee they belong to (case_access).
create or replace function granted_cases() returns uuid[] language sql stable as $$
    select coalesce(nullif(current_setting('register.granted', true), ''), '{}')::uuid[]
$$;

-- Returns the cases of which the caller sees only the proceedings.
create or replace function liaison_cases() returns uuid[] language sql stable as $$
    select coalesce(nullif(current_setting('register.liaison', true), ''), '{}')::uuid[]
$$;

-- Returns the cases that another committee offers to the caller's committee, which may read them before it accepts
-- (case_transfer).
create or replace function offered_cases() returns uuid[] language sql stable as $$
    select coalesce(nullif(current_setting('register.offered', true), ''), '{}')::uuid[]
$$;

-- Returns the cases of other committees that the caller may read whole: those granted and those offered.
create or replace function readable_cases() returns uuid[] language sql stable as $$
    select granted_cases() || offered_cases()
$$;

-- Returns the first day on which a retention rule or an erasure announced today may take effect.
create or replace function notice_ends() returns date language sql stable as $$
    select today() + n.days from retention_notice n
$$;

-- Returns the kind of an organisation; null for an unknown code.
create or replace function organisation_kind(p_code text) returns text language plpgsql stable as $$
begin
    return (select o.kind from organisation o where o.code = p_code);
end
$$;

-- Whether the caller has any scope for work on cases. Functions that change a case read it first, so each of these
-- scopes allows reading.
create or replace function works_on_cases() returns boolean language sql stable as $$
    select has_any_scope('cases.read', 'cases.write', 'decisions.write', 'reviews.write', 'actions.write',
        'proceedings.read', 'proceedings.write', 'ratification.write', 'retention.write', 'holds.legal')
$$;

-- Closes a table: row-level security applies to every role, and the service may do nothing with the table until later
-- statements allow it.
create or replace function close_table(name text) returns void language plpgsql as $$
begin
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy owner_all on %I to register_owner using (true)', name);
    execute format('revoke all on %I from register_service', name);
end
$$;

-- Opens the table of a part of a case. The committee, its chief officers and organisations with access to the case read
-- it. The committee's clients with one of the scopes write it; with `shared`, clients with access to the case do so
-- too.
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

-- Closes every table that has a committee, so that none can be forgotten.
do $$
declare
    name text;
begin
    for name in select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace = 'register'::regnamespace and c.relkind = 'r' and a.attname = 'committee'
                and c.relname not in ('committee', 'local_authority', 'organisation') loop
        perform close_table(name);
    end loop;
    perform close_table('exclusion'); -- read with the claims of each request (is_excluded)
    perform close_table('client_organisation'); -- read before there are claims (organisation_of)
    perform close_table('idempotency_key');
end
$$;

grant select on state_transition, state_guard, state_refusal to register_service;
grant select, insert, update, delete on idempotency_key to register_service;

create policy service_read on idempotency_key for select to register_service using (
    organisation = (select claim('organisation')) or created_at < now() - interval '7 days');
create policy service_insert on idempotency_key for insert to register_service with check (
    organisation = (select claim('organisation')) and client = (select claim('client')));
create policy service_update on idempotency_key for update to register_service using (
    organisation = (select claim('organisation')) and client = (select claim('client')));
create policy service_delete on idempotency_key for delete to register_service using (
    created_at < now() - interval '7 days');
