-- The marks that writers append for the statistics: subjects that changed, and referrals that count
-- (sql/statistics/fold.sql folds both into the sums).

-- Returns the facts of a referral. It counts with the committee that has it; the committee to which it was first sent
-- counts it as transferred.
create or replace function statistic_referral_facts(committee text, transferred_from text, kind text, received date,
    status text, reason text) returns setof statistic_fact language plpgsql immutable as $$
declare
    outcome text := case when referral_is_undecided(status) then 'open' else status end;
begin
    return query
        select m.measure, m.scopes, received, m.key, 0, date '-infinity'
        from (values
            ('referrals_received', array['*', committee], '{}'::text[]),
            ('referrals_received.source_kind', array['*', committee], array[null, kind]),
            ('referrals_outcome', array['*', committee], array[outcome]),
            ('referrals_outcome.reason', array['*', committee], array[outcome, coalesce(reason, 'none')])
        ) m(measure, scopes, key)
        union all
        select m.measure, array[transferred_from], received, m.key, 0, '-infinity'
        from (values ('referrals_outcome', array['transferred']),
            ('referrals_outcome.reason', array['transferred', 'none'])) m(measure, key)
        where transferred_from is not null;
end
$$;

-- Returns the committees in whose figures a subject counts: those of its rows, those for which it was counted, and
-- those that take part in it. For a merged case, also those of the case that continues.
create or replace function statistic_marked_scopes(p_subject uuid, committees text[]) returns text[]
language plpgsql stable as $$
begin
    return (select coalesce(array_agg(distinct found.scope), '{}')
        from (select unnest(committees) as scope
            union all
            select unnest(s.scopes) from statistic_subject s
                where s.subject = p_subject
                    or s.subject = (select c.merged_into from review_case c where c.id = p_subject)
            union all
            select o.committee from case_access a join organisation o on o.code = a.organisation
                where a.case_id = p_subject and a.role = 'joint_committee') found
        where found.scope is not null);
end
$$;

-- Marks the cases whose parts changed. Runs as the owner: the service may not write marks.
create or replace function statistic_mark() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    insert into statistic_dirty (subject, lane, scopes)
        select r.case_id, r.committees[1], statistic_marked_scopes(r.case_id, r.committees)
        from (select case_id, array_agg(distinct committee) as committees from changed_rows group by 1) r;
    return null;
end
$$;

-- Marks the cases or anonymous reviews that changed themselves. Runs as the owner: the service may not write marks.
create or replace function statistic_mark_subject() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
begin
    insert into statistic_dirty (subject, lane, scopes)
        select r.id, r.committee, statistic_marked_scopes(r.id, array[r.committee]) from changed_rows r;
    return null;
end
$$;

-- Counts referrals: +1 for new rows, -1 for old ones. The many pushes of one statement become one row for each
-- committee, month and kind of sender. Runs as the owner: the service may not write marks.
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

-- Counts the remains of an erased referral as the referral counted. Runs as the owner: the service may not write marks.
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

-- Marks at most so many subjects, whose facts could not be computed when last tried before the instant, to be tried
-- again. Returns how many. Operators call it after a repair: select register.statistic_retry(1000, now()),
-- so that it is attached to the tables, where its name is always the same.
create or replace function statistic_retry(most integer, before timestamptz) returns integer
language plpgsql set search_path = register, pg_temp as $$
declare
    marked integer;
begin
    insert into statistic_dirty (subject, lane, scopes)
        select s.subject, coalesce(c.committee, a.committee, ''), s.scopes
        from statistic_subject s left join review_case c on c.id = s.subject
        left join anonymous_review a on a.id = s.subject
        where s.fault is not null and s.tried_at < before
            and not exists (select from statistic_dirty d where d.subject = s.subject)
        order by s.tried_at limit most;
    get diagnostics marked = row_count;
    return marked;
end
$$;
revoke execute on function statistic_retry from register_service;

do $$
declare
    part record;
begin
    for part in select * from (values
        ('review_case', 'statistic_mark_subject', array['insert', 'update', 'delete']),
        ('anonymous_review', 'statistic_mark_subject', array['insert', 'update', 'delete']),
        ('child', 'statistic_mark', array['insert', 'update']),
        ('case_stage', 'statistic_mark', array['insert', 'update']),
        ('case_decision', 'statistic_mark', array['insert', 'update']),
        ('case_access', 'statistic_mark', array['insert', 'update']),
        ('case_transfer', 'statistic_mark', array['insert', 'update']),
        ('information_request', 'statistic_mark', array['insert', 'update']),
        ('ratification', 'statistic_mark', array['insert', 'update']),
        ('finding', 'statistic_mark', array['insert', 'update']),
        ('family_engagement', 'statistic_mark', array['insert', 'update']),
        ('publication', 'statistic_mark', array['insert', 'update']),
        ('notice', 'statistic_mark', array['insert', 'update']),
        ('case_hold', 'statistic_mark', array['insert', 'update']),
        ('proceeding', 'statistic_mark', array['update']),
        ('action', 'statistic_mark', array['insert', 'update', 'delete']),
        ('impact_review', 'statistic_mark', array['insert', 'update'])
    ) parts(name, marks, events), unnest(events) event loop
        execute format('create trigger statistic_%s after %s on %I referencing %s table as changed_rows
            for each statement execute function %I()', part.event, part.event, part.name,
            case part.event when 'delete' then 'old' else 'new' end, part.marks);
    end loop;
    for part in select * from (values ('insert', 'new', 1), ('update', 'new', 1), ('update', 'old', -1),
            ('delete', 'old', -1)) parts(event, side, sign) loop
        execute format('create trigger statistic_%s_%s after %s on referral referencing %s table as changed_rows
            for each statement execute function statistic_count_referrals(%L)', part.event, part.side, part.event,
            part.side, part.sign);
    end loop;
    create trigger statistic_insert after insert on anonymous_referral referencing new table as changed_rows
        for each statement execute function statistic_count_anonymous_referrals();
end
$$;
