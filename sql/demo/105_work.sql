-- Notes on open cases, and the tasks of those who work on them.

insert into note (id, committee, case_id, visibility, text, recorded_by, written_by, created_at, updated_at)
select pg_temp.id_of(its_key, made), committee, id, pg_temp.weighed(its_key || 'for', 'committee:40 review_team:35
        case:25'),
    pg_temp.pick(its_key || 'text', array['The health board sends its chronology by Friday.',
        'The school asks for a meeting before the summer.', 'The chair prefers meetings in the morning.',
        'Legal advice on the draft is expected next month.']), 'CPC-' || committee, 'demo', made, made
from (
    select h.*, h.key || ' note ' || p as its_key,
        pg_temp.between(h.key || 'note' || p, h.stage_entered_on, today()) as on_day
    from demo_head h cross join generate_series(1, 3) p
    where h.stage <> 'closed' and pg_temp.share(h.key || 'notes' || p) < 0.3) n
cross join lateral (select pg_temp.instant(its_key, on_day) as made) m;

insert into task (id, committee, case_id, title, details, owner_role, due_on, status, done_on, recorded_by, created_at,
    updated_at, version)
select pg_temp.id_of(its_key, made), committee, id, pg_temp.pick(its_key || 'title', array[
        'Book the room for the learning event', 'Send the papers for the meeting',
        'Ask for the missing chronology', 'Agree the dates of the next meetings']),
    case when pg_temp.share(its_key || 'details') < 0.3 then 'The partners know the date.' end,
    pg_temp.weighed(its_key || 'role', 'lead_officer:35 administrator:35 chair:15 reviewer:10 committee_member:5'),
    due_on, case when done then 'done' else 'open' end, case when done then done_on end, 'CPC-' || committee, made,
    case when done then greatest(made, pg_temp.instant(its_key || 'done', done_on)) else made end, 1 + done::integer
from (
    select t.*, on_day + pg_temp.whole(its_key || 'time', 5, 40) as due_on,
        least(today(), on_day + pg_temp.whole(its_key || 'took', 1, 30)) as done_on,
        pg_temp.share(its_key || 'is done') < 0.5 as done
    from (
        select h.*, h.key || ' task ' || p as its_key,
            pg_temp.between(h.key || 'task' || p, h.stage_entered_on, today()) as on_day
        from demo_head h cross join generate_series(1, 3) p
        where h.stage <> 'closed' and pg_temp.share(h.key || 'tasks' || p) < 0.4) t) d
cross join lateral (select pg_temp.instant(its_key, on_day) as made) m;
