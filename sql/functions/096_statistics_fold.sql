-- How changes come into the sums: writers append what changed, and whoever looks folds it in.

-- Marks the cases whose rows changed. The trigger's argument is the column with the case's id.
create or replace function statistic_mark() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    execute format('insert into statistic_dirty (subject) select distinct %I from changed_rows', tg_argv[0]);
    return null;
end
$$;

-- Counts referrals: +1 for rows that are there now, -1 for rows that no longer are. Many pushes of one commit are one
-- row here for each committee, month and kind of sender.
create or replace function statistic_count_referrals() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    insert into statistic_delta (measure, scope, month, key, n)
        select f.measure, s.scope, f.month, f.key, sum(c.times) * tg_argv[0]::integer
        from (select r.committee, r.transferred_from, r.source_organisation,
                date_trunc('month', r.received_on::timestamp)::date as month, r.status, r.reason, count(*) as times
              from changed_rows r group by 1, 2, 3, 4, 5, 6) c,
            lateral statistic_referral_facts(c.committee, c.transferred_from,
                organisation_kind(c.source_organisation), c.month, c.status, c.reason) f,
            lateral unnest(f.scopes) s(scope)
        group by 1, 2, 3, 4;
    return null;
end
$$;

-- What is left of a referral counts as it did.
create or replace function statistic_count_anonymous_referrals() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    insert into statistic_delta (measure, scope, month, key, n)
        select f.measure, s.scope, f.month, f.key, count(*)
        from changed_rows a, lateral statistic_referral_facts(a.committee, a.transferred_from, a.source_kind,
                a.received_month, a.status, a.reason) f,
            unnest(f.scopes) s(scope)
        group by 1, 2, 3, 4;
    return null;
end
$$;

do $$
declare
    part record;
begin
    for part in select * from (values
        ('review_case', 'id', array['insert', 'update', 'delete']),
        ('anonymous_review', 'id', array['insert', 'update', 'delete']),
        ('child', 'case_id', array['insert', 'update']),
        ('case_stage', 'case_id', array['insert', 'update']),
        ('case_decision', 'case_id', array['insert', 'update']),
        ('case_access', 'case_id', array['insert', 'update']),
        ('case_transfer', 'case_id', array['insert', 'update']),
        ('information_request', 'case_id', array['insert', 'update']),
        ('ratification', 'case_id', array['insert', 'update']),
        ('finding', 'case_id', array['insert', 'update']),
        ('family_engagement', 'case_id', array['insert', 'update']),
        ('publication', 'case_id', array['insert', 'update']),
        ('notice', 'case_id', array['insert', 'update']),
        ('case_hold', 'case_id', array['insert', 'update']),
        ('proceeding', 'case_id', array['update']),
        ('action', 'case_id', array['insert', 'update', 'delete']),
        ('impact_review', 'case_id', array['insert', 'update'])
    ) parts(name, id, events), unnest(events) event loop
        execute format('drop trigger if exists statistic_%s on %I', part.event, part.name);
        execute format('create trigger statistic_%s after %s on %I referencing %s table as changed_rows
            for each statement execute function statistic_mark(%L)', part.event, part.event, part.name,
            case part.event when 'delete' then 'old' else 'new' end, part.id);
    end loop;
    for part in select * from (values ('insert', 'new', 1), ('update', 'new', 1), ('update', 'old', -1),
            ('delete', 'old', -1)) parts(event, side, sign) loop
        execute format('drop trigger if exists statistic_%s_%s on referral', part.event, part.side);
        execute format('create trigger statistic_%s_%s after %s on referral referencing %s table as changed_rows
            for each statement execute function statistic_count_referrals(%L)', part.event, part.side, part.event,
            part.side, part.sign);
    end loop;
    drop trigger if exists statistic_insert on anonymous_referral;
    create trigger statistic_insert after insert on anonymous_referral referencing new table as changed_rows
        for each statement execute function statistic_count_anonymous_referrals();
end
$$;

-- Marks everything that is there, for a register in which nothing has been counted yet.
create or replace function statistic_count_all() returns void language sql as $$
    insert into statistic_dirty (subject) select id from review_case union all select id from anonymous_review;
    insert into statistic_delta (measure, scope, month, key, n)
        select f.measure, s.scope, f.month, f.key, count(*)
        from (select committee, transferred_from, organisation_kind(source_organisation) as source_kind,
                first_of_month(received_on) as received_month, status, reason from referral
            union all
            select committee, transferred_from, source_kind, received_month, status, reason from anonymous_referral) r,
            statistic_referral_facts(r.committee, r.transferred_from, r.source_kind, r.received_month, r.status,
                r.reason) f,
            unnest(f.scopes) s(scope)
        group by 1, 2, 3, 4
$$;

create or replace function statistic_table_of(measure text) returns text language sql immutable as $$
    select substring(measure from '^[a-z_]+')
$$;

-- What a subject counts now: nothing when it is gone.
create or replace function statistic_facts_of(p_subject uuid) returns statistic_fact[] language plpgsql stable as $$
declare
    c review_case;
    r anonymous_review;
begin
    select * into c from review_case where id = p_subject;
    if found then
        return array(select f::statistic_fact from statistic_case_facts(c) f);
    end if;
    select * into r from anonymous_review where id = p_subject;
    if found then
        return array(select f::statistic_fact from statistic_anonymous_facts(r) f);
    end if;
    return '{}';
end
$$;

-- Adds rows of statistic_delta to the sums.
create or replace function statistic_fold_deltas(most integer) returns text[] language plpgsql as $$
declare
    touched text[];
begin
    with gone as (
        delete from statistic_delta where id in (select d.id from statistic_delta d order by d.id limit most)
        returning measure, scope, month, key, n
    ), summed as (
        select measure, scope, month, key, sum(n) as n from gone group by 1, 2, 3, 4 having sum(n) <> 0
    ), added as (
        insert into statistic_cell (measure, scope, month, key, value, from_day, n)
            select measure, scope, month, key, 0, '-infinity', n from summed
        on conflict (measure, scope, month, key, value, from_day) do update set n = statistic_cell.n + excluded.n
        returning measure
    )
    select array_agg(distinct statistic_table_of(measure)) into touched from added;
    return touched;
end
$$;

-- Counts changed subjects anew and adds what is different to the sums. All of it is one statement, so that what a
-- subject counts is read as of one instant: a change after it has left a mark of its own.
create or replace function statistic_fold_subjects(most integer, today date) returns text[] language plpgsql as $$
declare
    touched text[];
begin
    with gone as (
        delete from statistic_dirty where id in (select d.id from statistic_dirty d order by d.id limit most)
        returning subject
    ), marked as (
        select distinct coalesce(c.merged_into, g.subject) as subject
        from gone g left join review_case c on c.id = g.subject
        union
        select subject from gone
    ), counted as materialized (
        select m.subject, coalesce(s.facts, '{}') as before, statistic_facts_of(m.subject) as after
        from marked m left join statistic_subject s on s.subject = m.subject
    ), difference as (
        select f.measure, scope, f.month, f.key, f.value,
            case when f.from_day <= $2 then date '-infinity' else f.from_day end as from_day, sum(sign) as n
        from (select subject, -1 as sign, unnest(before) as fact from counted
              union all
              select subject, 1, unnest(after) from counted) u,
            lateral (select (u.fact).*) f, lateral unnest(f.scopes) scope
        group by 1, 2, 3, 4, 5, 6 having sum(sign) <> 0
    ), added as (
        insert into statistic_cell (measure, scope, month, key, value, from_day, n)
            select * from difference
        on conflict (measure, scope, month, key, value, from_day) do update set n = statistic_cell.n + excluded.n
        returning measure
    ), kept as (
        insert into statistic_subject (subject, facts)
            select subject, after from counted where after <> '{}' and after is distinct from before
        on conflict (subject) do update set facts = excluded.facts
    ), dropped as (
        delete from statistic_subject s using counted c where s.subject = c.subject and c.after = '{}'
    )
    select array_agg(distinct statistic_table_of(measure)) into touched from added;
    return touched;
end
$$;

-- What counts from today on joins what counts already, once a day.
create or replace function statistic_mature(today date) returns text[] language plpgsql as $$
declare
    touched text[];
begin
    with ripe as (
        delete from statistic_cell where from_day > '-infinity' and from_day <= $1 returning *
    ), summed as (
        select measure, scope, month, key, value, sum(n) as n from ripe group by 1, 2, 3, 4, 5
    ), added as (
        insert into statistic_cell (measure, scope, month, key, value, from_day, n)
            select measure, scope, month, key, value, '-infinity', n from summed
        on conflict (measure, scope, month, key, value, from_day) do update set n = statistic_cell.n + excluded.n
        returning measure
    )
    select array_agg(distinct statistic_table_of(measure)) into touched from added;
    update statistic_day set day = today;
    -- What is open grows older by the day.
    return touched || array(select code from statistic_table where snapshot);
end
$$;

-- Folds what writers left, at most `most` marks at a time; one at a time, and who waits finds it done. Returns
-- whether more is left. For functions that run as the owner (statistic_look): nobody else may change sums.
create or replace function statistic_fold(most integer) returns boolean
language plpgsql set search_path = register, pg_temp as $$
declare
    touched text[];
    now_day date := today();
begin
    if not exists (select from statistic_dirty) and not exists (select from statistic_delta)
            and exists (select from statistic_day where day = now_day) then
        return false;
    end if;
    perform pg_advisory_xact_lock(7262534080);
    touched := statistic_fold_deltas(most * 10) || statistic_fold_subjects(most, now_day);
    if exists (select from statistic_day where day < now_day) then
        touched := touched || statistic_mature(now_day);
    end if;
    delete from statistic_cell where n = 0;
    update statistic_state set version = nextval('statistic_version'), changed_at = clock_timestamp()
        where table_code = any (touched);
    return exists (select from statistic_dirty);
end
$$;

-- One look at whether anything changed: folds what there is; who watches also makes a release whose day has come.
-- `mark` differs whenever any answer could differ. A standby cannot fold: what is read there was folded on the primary
-- before (api/statistics.c), but for the first moments of a day.
create or replace function statistic_look(watching boolean, out mark text, out more boolean)
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    if not pg_is_in_recovery() then
        more := statistic_fold(case when watching then 500 else 50 end);
    elsif not exists (select from statistic_day where day = today()) then
        perform leave_to_primary('today is not folded yet');
    end if;
    if watching then
        perform statistic_release_due();
    end if;
    select max(s.version) || '/' || today() || '/' || (select coalesce(extract(epoch from max(r.made_at)), 0)
        from statistic_release r) into mark
        from statistic_state s;
end
$$;
