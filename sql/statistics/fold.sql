-- Folding changes into sums: writers append a mark for each change, and the service folds the changes in bounded steps.
--
-- A step (statistic_poll) counts a limited number of subjects, each on its own. A subject whose facts cannot be
-- computed is set aside and counts nothing; it is tried again when it changes, and every ten minutes. Readers of
-- statistics never wait for a step: responses contain what is folded, and say for the scope of the reader what is not
-- (`pending`, `not_included`). A release that is due is made in steps, too, from sums that no step changes meanwhile
-- (sql/statistics/release.sql).

-- Marks every case, erased case and referral as changed, for a register in which nothing has been counted yet.
create function statistic_count_all() returns void language sql as $$
    insert into statistic_dirty (subject, lane, scopes)
        select id, committee, array[committee] from review_case
        union all
        select id, committee, array[committee] from anonymous_review;
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

-- Returns the table that a measure belongs to.
create function statistic_table_of(measure text) returns text language sql immutable as $$
    select substring(measure from '^[a-z_]+')
$$;

-- Returns the facts of a subject as they are now; empty if it no longer exists.
create function statistic_facts_of(p_subject uuid) returns statistic_fact[] language plpgsql stable as $$
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

-- Returns the facts of a subject, or the SQLSTATE of the failure to compute them: then it counts nothing. A failure
-- that is not the subject's own (transactions, resources, locks, a changing schema) ends the step instead.
create function statistic_counted(p_subject uuid, out facts statistic_fact[], out fault text)
language plpgsql stable as $$
begin
    facts := statistic_facts_of(p_subject);
    if exists (select from unnest(facts) f where f.measure is null or f.scopes is null
            or array_position(f.scopes, null) is not null or f.month is null or f.key is null or f.value is null
            or f.from_day is null) then
        raise exception using errcode = 'null_value_not_allowed', message = 'a fact is incomplete';
    end if;
exception when others then
    if left(sqlstate, 2) = any ('{40,42,53,55,57,58}') then
        raise;
    end if;
    facts := '{}';
    fault := sqlstate;
end
$$;

-- Adds at most so many rows of statistic_delta to the sums. Returns the tables and scopes that it changed, each as
-- 'table scope'; null if none.
create function statistic_fold_deltas(most integer) returns text[] language plpgsql as $$
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
        returning measure, scope
    )
    select array_agg(distinct statistic_table_of(measure) || ' ' || scope) into touched from added;
    return touched;
end
$$;

-- Recounts at most so many changed subjects (and the cases into which some were merged), and adds the differences to
-- the sums. Committees take turns. It is one statement, so that it reads a subject's facts as of one instant: a later
-- change has left its own mark.
create function statistic_count_subjects(most integer, today date, out touched text[], out subjects integer)
language plpgsql as $$
begin
    with chosen as materialized (
        select distinct turns.subject
        from (select m.subject
            from (select code as lane from committee union all select '') l cross join lateral (
                select d.id, d.subject, row_number() over (order by d.id) as turn
                from (select id, subject from statistic_dirty where lane = l.lane order by id limit $1) d) m
            order by m.turn, m.id limit $1) turns
    ), gone as (
        delete from statistic_dirty d using chosen c where d.subject = c.subject
    ), marked as (
        select subject from chosen
        union
        select c.merged_into from chosen h join review_case c on c.id = h.subject where c.merged_into is not null
    ), counted as materialized (
        select m.subject, coalesce(s.facts, '{}') as before, f.facts as after, f.fault
        from marked m left join statistic_subject s on s.subject = m.subject
        cross join lateral statistic_counted(m.subject) f
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
        returning measure, scope
    ), kept as (
        insert into statistic_subject as s (subject, facts, scopes, fault, tried_at)
            select c.subject, c.after, case when c.fault is null
                    then array(select distinct scope from unnest(c.after) f, unnest(f.scopes) scope where scope <> '*')
                    else statistic_marked_scopes(c.subject, array(
                        select committee from review_case where id = c.subject
                        union all select committee from anonymous_review where id = c.subject)) end,
                c.fault, clock_timestamp()
            from counted c where c.after <> '{}' or c.fault is not null
        on conflict (subject) do update set facts = excluded.facts, scopes = excluded.scopes, fault = excluded.fault,
                tried_at = excluded.tried_at, reported = s.reported and s.fault is not distinct from excluded.fault
            where s.facts is distinct from excluded.facts or s.scopes <> excluded.scopes
                or s.fault is distinct from excluded.fault or excluded.fault is not null
    ), dropped as (
        delete from statistic_subject s using counted c
            where s.subject = c.subject and c.after = '{}' and c.fault is null
    )
    select (select array_agg(distinct statistic_table_of(measure) || ' ' || scope) from added),
        (select count(*) from chosen) into touched, subjects;
end
$$;

-- Adds facts that count from today on to the sums of those that count already, once a day. Returns the tables and
-- scopes that it changed, each as 'table scope'.
create function statistic_mature(today date) returns text[] language plpgsql as $$
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
        returning measure, scope
    )
    select array_agg(distinct statistic_table_of(measure) || ' ' || scope) into touched from added;
    update statistic_day set day = today;
    -- Open items grow older each day.
    return touched || array(select t.code || ' ' || c.code from statistic_table t, committee c where t.snapshot);
end
$$;

-- Gives the tables and scopes ('table scope') a new version, and with each the same table for all of Scotland.
create function statistic_touch(touched text[]) returns void language sql as $$
    insert into statistic_state (table_code, scope, version, changed_at)
        select t.table_code, t.scope, nextval('statistic_version'), clock_timestamp()
        from (select split_part(x, ' ', 1) as table_code, split_part(x, ' ', 2) as scope from unnest(touched) x
            union select split_part(x, ' ', 1), '*' from unnest(touched) x) t
    on conflict (table_code, scope) do update set version = excluded.version, changed_at = excluded.changed_at
$$;

-- Folds one step of waiting changes, at most so many subjects, and returns how many it counted. Only functions that run
-- as the owner call it, because no other role may change sums. The caller must hold the lock of statistics.
create function statistic_fold_step(most integer) returns integer
language plpgsql set search_path from current as $$
declare
    now_day date := today();
    touched text[];
    counted record;
begin
    if not exists (select from statistic_dirty) and not exists (select from statistic_delta)
            and exists (select from statistic_day where day = now_day) then
        return 0;
    end if;
    touched := statistic_fold_deltas(most * 10);
    select * into counted from statistic_count_subjects(most, now_day);
    touched := touched || counted.touched;
    if exists (select from statistic_day where day < now_day) then
        touched := touched || statistic_mature(now_day);
    end if;
    if touched is not null then
        delete from statistic_cell where n = 0;
        perform statistic_touch(touched);
    end if;
    return counted.subjects;
end
$$;

-- Waits for the lock under which one transaction at a time folds changes or makes a release.
create function statistic_lock() returns void language sql as $$
    select pg_advisory_xact_lock(7262534080)
$$;

-- Folds one step of that size, for scripts and for operators who make releases by hand, and returns whether changes are
-- left. Discards a release that is half made, which then starts again.
create function statistic_fold(most integer) returns boolean
language plpgsql set search_path from current as $$
begin
    perform statistic_lock();
    perform statistic_release_undo(r.name, null) from statistic_release r
        where r.made_at is null and r.counted_at is not null;
    perform statistic_fold_step(most);
    return exists (select from statistic_dirty) or exists (select from statistic_delta);
end
$$;

-- Returns for each scope, or for one, what its responses depend on apart from the day and the releases: the version of
-- its tables, the number of changes that wait, and the number of subjects set aside.
create function statistic_scope_states(p_scope text)
returns table (scope text, version bigint, pending bigint, not_included bigint) language sql stable as $$
    with marks as (
        select x.scope, count(distinct d.subject) as n
        from statistic_dirty d, unnest(d.scopes || text '*') x(scope)
        where p_scope is null or x.scope = p_scope group by 1
    ), referrals as (
        select d.scope, count(*) as n from statistic_delta d
        where d.measure = 'referrals_outcome' and (p_scope is null or d.scope = p_scope) group by 1
    ), aside as (
        select x.scope, count(*) as n from statistic_subject s, unnest(s.scopes || text '*') x(scope)
        where s.fault is not null and (p_scope is null or x.scope = p_scope) group by 1
    )
    select k.code, coalesce(v.version, 0), coalesce(m.n, 0) + coalesce(r.n, 0), coalesce(a.n, 0)
    from (select code from committee union all select '*') k(code)
    left join (select s.scope, max(s.version) as version from statistic_state s group by 1) v on v.scope = k.code
    left join marks m on m.scope = k.code
    left join referrals r on r.scope = k.code
    left join aside a on a.scope = k.code
    where p_scope is null or k.code = p_scope
$$;

-- Returns the part of a mark for one scope: it differs whenever a response for the scope could differ.
create function statistic_word(version bigint, pending bigint, not_included bigint) returns text
language sql immutable as $$
    select version || '.' || pending || '.' || not_included
$$;

-- Returns the part of a mark on which all responses depend: the day and the latest release.
create function statistic_times() returns text language sql stable as $$
    select today() || '/' || coalesce(extract(epoch from max(r.made_at)), 0) from statistic_release r
$$;

-- Returns the subjects and releases that failed since the last call, for the log: 'subject <id> <SQLSTATE>' and
-- 'release <name> <SQLSTATE>', separated by commas, at most 20 subjects. Returns '' if there are none.
create function statistic_faults_new() returns text language plpgsql as $$
declare
    found text;
begin
    with told as (
        update statistic_subject set reported = true where subject in (
            select s.subject from statistic_subject s where s.fault is not null and not s.reported limit 20)
        returning 'subject ' || subject || ' ' || fault as line
    ), missed as (
        update statistic_release set reported = true where fault is not null and not reported
        returning 'release ' || name || ' ' || fault as line
    )
    select string_agg(line, ',') into found from (select line from told union all select line from missed) t;
    return coalesce(found, '');
end
$$;

-- Folds one step, unless another instance is doing so or this is a standby; the service calls it twice a second, and
-- again soon while `more` is true. Returns the marks of responses (`times`, and ' scope:word' for each scope), the
-- number of subjects counted, new failures, subjects set aside, waiting changes and the age of the oldest in seconds,
-- and whether a release has failed. Runs as the owner, who alone may read and change sums.
create function statistic_poll(most integer, out times text, out words text, out more boolean,
    out counted integer, out faults text, out not_included bigint, out pending bigint, out behind double precision,
    out release_failed boolean)
language plpgsql security definer set search_path from current as $$
declare
    oldest timestamptz;
    counts boolean := not pg_is_in_recovery() and is_newest_version();
begin
    counted := 0;
    faults := '';
    if counts and pg_try_advisory_xact_lock(7262534080) then
        counted := statistic_step(most);
        faults := statistic_faults_new();
    end if;
    times := statistic_times();
    select string_agg(' ' || s.scope || ':' || statistic_word(s.version, s.pending, s.not_included), ''),
            max(s.pending), max(s.not_included)
        into words, pending, not_included
        from statistic_scope_states(null) s;
    oldest := least((select marked_at from statistic_dirty order by id limit 1),
        (select added_at from statistic_delta order by id limit 1));
    more := counts and (oldest is not null or exists (select from statistic_release r where r.made_at is null and r.fault is null));
    behind := coalesce(extract(epoch from clock_timestamp() - oldest), 0);
    release_failed := exists (select from statistic_release r where r.fault is not null);
end
$$;
