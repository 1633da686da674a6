-- Who may see and change what: row-level security behind the service's own checks.
-- The claims are settings of the transaction (see sql/queries/principal.sql); an unset claim is null or ''
-- and equals no code, so that a transaction without claims sees nothing.
--
-- register.committee: the committee that the caller is; register.area: the committee whose register it may read
-- whole (the committee itself, or its chief officers group); register.granted and register.liaison: single cases
-- opened to the caller (case_access); register.offered: those that another committee offers it to take over
-- (case_transfer), which it may read, and no more.
--
-- Functions: the service may execute each, PUBLIC none (schema_seal in sql/queries/schema.sql). A function that is not
-- for the service is revoked from it beside its definition.

-- The cases opened to a client, by what the access allows. Runs as the owner: it is asked before the claims stand.
create or replace function access_of(p_organisation text, p_client text, out granted text, out liaison text)
language plpgsql stable security definer set search_path = register, pg_temp as $$
begin
    select coalesce(array_agg(a.case_id) filter (where a.role <> 'proceedings_liaison'), '{}')::text,
            coalesce(array_agg(a.case_id) filter (where a.role = 'proceedings_liaison'), '{}')::text
        into granted, liaison
        from case_access a
        where a.organisation = p_organisation and (a.client is null or a.client = p_client)
            and a.ended_on is null and a.starts_on <= today() and (a.ends_on is null or a.ends_on >= today());
end
$$;

-- The cases offered to a committee, with those that were merged into them, until the transfer is decided or withdrawn.
-- Runs as the owner, as access_of.
create or replace function offered_to(p_committee text) returns text
language plpgsql stable security definer set search_path = register, pg_temp as $$
begin
    return (select coalesce(array_agg(o.id), '{}')::text
        from case_transfer t
        cross join lateral (select t.case_id union all
            select c.id from review_case c where c.merged_into = t.case_id) o (id)
        where t.to_committee = p_committee and t.status = 'proposed');
end
$$;

-- Any scope with which somebody works on cases: functions that change a case read it first.
create or replace function works_on_cases() returns boolean language sql stable as $$
    select has_any_scope('cases.read', 'cases.write', 'decisions.write', 'reviews.write', 'actions.write',
        'proceedings.read', 'proceedings.write', 'ratification.write', 'retention.write', 'holds.legal')
$$;

-- A table without policies for the service shows it nothing.
do $$
declare
    name text;
begin
    for name in select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace = 'register'::regnamespace and c.relkind = 'r' and a.attname = 'committee'
                and c.relname not in ('committee', 'local_authority', 'organisation')
            union select unnest(array['idempotency_key', 'action_update']) loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy owner_all on %I to register_owner using (true)', name);
        execute format('revoke all on %I from register_service', name);
    end loop;
end
$$;

-- Asked with the claims of each request; nobody but the owner sees or changes who is shut out.
alter table exclusion enable row level security;
alter table exclusion force row level security;
create policy owner_all on exclusion to register_owner using (true);
revoke all on exclusion from register_service;
create or replace function is_excluded(p_organisation text, p_client text, p_token_id text) returns boolean
language plpgsql stable security definer set search_path = register, pg_temp as $$
begin
    return exists (select from exclusion x
        where x.organisation = p_organisation and (x.client is null or x.client = p_client)
            and (x.token_id is null or x.token_id = p_token_id));
end
$$;
-- Those with clients or tokens that are shut out, a space on either side of each: they are not answered from memory.
create or replace function excluded_organisations() returns text
language sql stable security definer set search_path = register, pg_temp as $$
    select coalesce(string_agg(distinct ' ' || organisation || ' ', ''), '') from exclusion
$$;
-- As instances of the version before ask, until they have ended.
create or replace function is_excluded(p_organisation text, p_client text) returns boolean
language sql stable as $$
    select register.is_excluded(p_organisation, p_client, '')
$$;

grant select, insert, update on referral, case_counter, review_case, child, case_stage, case_decision, action,
    case_access to register_service;
grant select, insert on action_update to register_service;
grant select on change to register_service;
grant select, insert on anonymous_review, retention_rule, erasure to register_service;
grant update (withdrawn_on) on retention_rule to register_service;
grant update (status, stopped_on, stopped_because) on erasure to register_service;
grant select, insert, update on case_transfer to register_service;
grant select, insert, update, delete on idempotency_key to register_service;

create policy service_read on referral for select to register_service using (
    source_organisation = (select own_organisation()) and (select has_any_scope('referrals.read', 'referrals.write'))
    or committee = (select claim('area')) and (select has_any_scope('referrals.read', 'cases.write', 'cases.read',
        'decisions.write', 'ratification.write')));
create policy service_insert on referral for insert to register_service with check (
    source_organisation = (select own_organisation()) and (select has_scope('referrals.write')));
create policy service_update on referral for update to register_service using (
    source_organisation = (select own_organisation()) and (select has_scope('referrals.write'))
    or committee = (select claim('committee')) and (select has_scope('cases.write') or has_scope('decisions.write')));

create policy service_read on idempotency_key for select to register_service using (
    organisation = (select claim('organisation')) or created_at < now() - interval '7 days');
create policy service_insert on idempotency_key for insert to register_service with check (
    organisation = (select claim('organisation')) and client = (select claim('client')));
create policy service_update on idempotency_key for update to register_service using (
    organisation = (select claim('organisation')) and client = (select claim('client')));
create policy service_delete on idempotency_key for delete to register_service using (
    created_at < now() - interval '7 days');

create policy service_read on review_case for select to register_service using (
    (committee = (select claim('area')) or id = any ((select readable_cases())::uuid[])) and (select works_on_cases()));
create policy service_insert on review_case for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_update on review_case for update to register_service using (
    committee = (select claim('committee')) and (select has_any_scope('cases.write', 'decisions.write',
        'actions.write', 'proceedings.write', 'holds.legal', 'retention.write')));

create policy service_read on case_counter for select to register_service using (
    committee = (select claim('committee')));
create policy service_insert on case_counter for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_update on case_counter for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('cases.write')));

-- Who has access to a single case sees nothing there of the access of others or of transfers, as in case_access and
-- case_transfer.
create policy service_read on change for select to register_service using (
    (committee = (select claim('area'))
        or case_id = any ((select readable_cases())::uuid[]) and subject <> all ('{access,transfer,erasure}'))
    and (select has_scope('cases.read')));

create policy service_read on case_access for select to register_service using (
    committee = (select claim('area')) and (select works_on_cases())
    or organisation = (select claim('organisation')) and (client is null or client = (select claim('client')))
        and (select works_on_cases())
    -- Who takes a case over chooses whose access stays.
    or case_id = any ((select offered_cases())::uuid[]) and (select works_on_cases()));
create policy service_insert on case_access for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_update on case_access for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('cases.write')));

create policy service_read on case_transfer for select to register_service using (
    (select claim('area')) in (from_committee, to_committee) and (select has_any_scope('cases.read', 'cases.write')));
create policy service_insert on case_transfer for insert to register_service with check (
    committee = (select claim('committee')) and from_committee = committee and (select has_scope('cases.write')));
create policy service_update on case_transfer for update to register_service using (
    (select claim('committee')) in (from_committee, to_committee) and (select has_scope('cases.write')));

create policy service_insert on anonymous_review for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('retention.write')));
create policy service_read on anonymous_review for select to register_service using (
    committee = (select claim('area')) and (select has_any_scope('cases.read', 'retention.write')));

-- No client shortens what is kept before the notice period is over, or changes a rule that has begun.
create policy service_read on retention_rule for select to register_service using (
    (committee is null or committee = (select claim('area')))
    and (select has_any_scope('cases.read', 'retention.write')));
create policy service_insert on retention_rule for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('retention.write'))
    and valid_from >= (select notice_ends()) and withdrawn_on is null);
create policy service_update on retention_rule for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('retention.write'))
    and valid_from > (select today()) and withdrawn_on is null)
    with check (committee = (select claim('committee')) and withdrawn_on = (select today()));

-- Whoever announces an erasure says so in its own name, for a day that leaves time to stop it.
create policy service_read on erasure for select to register_service using (
    committee = (select claim('area')) and (select has_any_scope('cases.read', 'cases.write', 'retention.write')));
create policy service_insert on erasure for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('retention.write'))
    and status = 'announced' and announced_by = (select claim('client')) and not_before >= (select notice_ends()));
create policy service_update on erasure for update to register_service using (
    committee = (select claim('committee')) and status = 'announced'
    and (select has_any_scope('cases.write', 'retention.write')))
    with check (committee = (select claim('committee')) and status = 'stopped');

-- The parts of a case: its committee, its chief officers and whoever has access to the case read them; the
-- committee's clients with one of the scopes write them, and so do those with access where `shared`.
do $$
declare
    part record;
    writes text;
begin
    for part in select * from (values
        ('child', array['cases.write'], false),
        ('case_stage', array['cases.write', 'proceedings.write'], false),
        ('case_decision', array['decisions.write', 'cases.write'], false),
        ('mandate', array['cases.write'], false),
        ('team_member', array['cases.write'], false),
        ('family_liaison', array['cases.write'], false),
        ('family_engagement', array['reviews.write'], true),
        ('practitioner_engagement', array['reviews.write'], true),
        ('proceeding', array['proceedings.write'], false),
        ('case_hold', array['proceedings.write'], false),
        ('recommendation', array['cases.write'], false),
        ('finding', array['reviews.write'], true),
        ('strategy', array['reviews.write'], true),
        -- A move of the case takes the agreement to its report back.
        ('report', array['reviews.write', 'cases.write'], true),
        ('publication', array['cases.write'], false),
        ('evaluation', array['cases.write'], false),
        ('discontinuation', array['cases.write'], false)
    ) parts(name, writers, shared) loop
        writes := format('%s and (select has_any_scope(variadic %L))', case when part.shared
            then '(committee = (select claim(''committee'')) or case_id = any ((select granted_cases())::uuid[]))'
            else 'committee = (select claim(''committee''))' end, part.writers);
        execute format('grant select, insert, update on %I to register_service', part.name);
        execute format('create policy service_read on %I for select to register_service using (
            (committee = (select claim(''area'')) or case_id = any ((select readable_cases())::uuid[]))
            and (select works_on_cases()))', part.name);
        execute format('create policy service_insert on %I for insert to register_service with check (%s)',
            part.name, writes);
        execute format('create policy service_update on %I for update to register_service using (%s)',
            part.name, writes);
    end loop;
end
$$;

-- Of a case that is shared with them for its proceedings, liaison organisations see and change nothing but those.
create policy service_liaison_read on proceeding for select to register_service using (
    case_id = any ((select liaison_cases())::uuid[])
    and (select has_any_scope('proceedings.read', 'proceedings.write')));
create policy service_liaison_update on proceeding for update to register_service using (
    case_id = any ((select liaison_cases())::uuid[]) and (select has_scope('proceedings.write')));

-- The inspectorate reads the decisions of all committees.
create policy inspectorate_read on case_decision for select to register_service using (
    (select claim('kind')) = 'inspectorate' and (select has_scope('decisions.read')));

-- An information request belongs to the committee that asks, and to the organisation that is asked.
grant select, insert, update on information_request to register_service;
create policy service_read on information_request for select to register_service using (
    (committee = (select claim('area')) or case_id = any ((select readable_cases())::uuid[]))
        and (select works_on_cases() or has_scope('information.read'))
    or organisation = (select own_organisation())
        and (select has_any_scope('information.read', 'information.write')));
create policy service_insert on information_request for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_update on information_request for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('cases.write'))
    or organisation = (select own_organisation()) and (select has_scope('information.write')));

-- A notice belongs to the committee that has to send it, and once sent to its recipient. Chief officers bring about
-- notices by ratifying; the inspectorate adds its observations.
grant select, insert, update on notice to register_service;
create policy service_read on notice for select to register_service using (
    (committee = (select claim('area')) or case_id = any ((select readable_cases())::uuid[]))
        and (select works_on_cases() or has_scope('notices.read'))
    or to_organisation = (select own_organisation()) and sent_on is not null
        and (select has_any_scope('notices.read', 'observations.write')));
create policy service_insert on notice for insert to register_service with check (
    committee = (select claim('committee')) and (select has_any_scope('cases.write', 'decisions.write'))
    or committee = (select claim('area')) and (select has_scope('ratification.write')));
create policy service_update on notice for update to register_service using (
    committee = (select claim('committee')) and (select has_any_scope('cases.write', 'decisions.write'))
    or committee = (select claim('area')) and (select has_scope('ratification.write'))
    or to_organisation = (select own_organisation()) and sent_on is not null
        and (select claim('kind') = 'inspectorate' and has_scope('observations.write')));

-- The chief officers of the area decide on the report; nobody else does. Dissemination is only ever added to.
grant select, insert, update on ratification to register_service;
grant select, insert on dissemination to register_service;

create policy service_read on ratification for select to register_service using (
    (committee = (select claim('area')) or case_id = any ((select readable_cases())::uuid[]))
    and (select works_on_cases()));
create policy service_insert on ratification for insert to register_service with check (
    committee = (select claim('area')) and (select claim('kind')) = 'chief_officers_group'
    and (select has_scope('ratification.write')));
create policy service_update on ratification for update to register_service using (
    committee = (select claim('area')) and (select claim('kind')) = 'chief_officers_group'
    and (select has_scope('ratification.write')));

create policy service_read on dissemination for select to register_service using (
    (committee = (select claim('area')) or case_id = any ((select readable_cases())::uuid[]))
    and (select works_on_cases()));
create policy service_insert on dissemination for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));

create policy service_read on action for select to register_service using (
    (committee = (select claim('area')) or owner_organisation = (select own_organisation())
        or case_id = any ((select readable_cases())::uuid[]))
    and (select has_any_scope('actions.read', 'actions.write', 'actions.verify', 'cases.read', 'cases.write')));
create policy service_insert on action for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('actions.write')));
create policy service_update on action for update to register_service using (
    committee = (select claim('committee')) and (select has_scope('actions.write') or has_scope('actions.verify'))
    or owner_organisation = (select own_organisation()) and (select has_scope('actions.write')))
    with check (committee = (select claim('committee')) or owner_organisation = (select own_organisation()));

create policy service_read on action_update for select to register_service using (
    exists (select from action a where a.id = action_id));
create policy service_insert on action_update for insert to register_service with check (
    reported_by = (select claim('organisation')) and exists (select from action a where a.id = action_id));

-- Who sees an action sees what was found of its impact; it is the committee's to find.
grant select, insert on impact_review to register_service;
create policy service_read on impact_review for select to register_service using (
    exists (select from action a where a.id = action_id));
create policy service_insert on impact_review for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('actions.verify')));

-- Everybody reckons with every committee's timescales and holidays; each committee sets its own.
grant select, insert on timescale, local_holiday to register_service;
create policy service_read on timescale for select to register_service using (true);
create policy service_insert on timescale for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
create policy service_read on local_holiday for select to register_service using (true);
create policy service_insert on local_holiday for insert to register_service with check (
    committee = (select claim('committee')) and (select has_scope('cases.write')));
