"""A backlog of thousands of changes: polls are answered meanwhile, releases are made, and no step is large.

The tests hold the lock of statistics while they make the backlog, so that no result depends on speed.
"""
import contextlib

import pytest

from counting import until_counted
from waiting import wait_until

SUBJECTS = 5000
STEP = 50  # SUBJECTS_MAX of service/db/change_version.c
LOCK = "select pg_advisory_lock(7262534080)"


@pytest.fixture
def counting_stopped(cluster, instance):
    """Counts everything, then blocks counting until the function is called or the test ends."""
    wait_until(lambda: cluster.execute("select not exists (select from register.statistic_dirty)")[0][0],
               "what statistics count")
    with contextlib.ExitStack() as stack:
        stack.enter_context(cluster.holding(LOCK))
        yield stack.close


def make_backlog(cluster):
    """Marks all cases as changed, and subjects that do not exist: counting one of those is a step like any other."""
    cluster.execute("""
        insert into statistic_dirty (subject, lane, scopes) select id, committee, array[committee] from review_case;
        insert into statistic_dirty (subject, lane, scopes)
            select gen_random_uuid(), 'EDH', '{EDH}' from generate_series(1, %s - (select count(*) from review_case))""",
                    (SUBJECTS,))


def forget_marks(cluster):
    """Marks subjects that do not exist."""
    cluster.execute("delete from register.statistic_dirty where subject not in (select id from register.review_case)")


def polls(analyst, dashboard):
    """Sends one request of each kind, all of which must be answered; returns the number of pending changes in the
    answers."""
    live = [analyst.send("getStatistics", table="decisions", query=query).expect(200)
            for query in ("view=live", "view=live&committee=EDH", "view=live&committee=ORK", "view=live&breakdown=committee")]
    released = [dashboard.send("getStatistics", table=table).expect(200) for table in ("decisions", "caseload")]
    assert {one["pending"] for one in released} == {None}
    assert dashboard.send("listStatistics").expect(200)["pending"] is None
    return [one["pending"] for one in live]


def test_polls_are_answered_while_the_backlog_waits_and_while_it_is_counted(analyst, dashboard, cluster, instance,
                                                                            counting_stopped):
    before = analyst.send("getStatistics", table="decisions", query="view=live").expect(200)
    steps, counted = (instance.figure(f"statistics_{name}_total") for name in ("steps", "subjects_counted"))
    make_backlog(cluster)
    wait_until(lambda: instance.figure("statistics_pending") == SUBJECTS, "what statistics count")
    scotland, edinburgh, orkney, _ = polls(analyst, dashboard)
    assert scotland == SUBJECTS and SUBJECTS > edinburgh > orkney > 0
    seen = set()
    counting_stopped()

    def is_counted():
        seen.add(polls(analyst, dashboard)[0])
        return 0 in seen
    wait_until(is_counted, "what statistics count")
    after = analyst.send("getStatistics", table="decisions", query="view=live").expect(200)
    assert (after["rows"], after["complete"]) == (before["rows"], True)
    assert instance.figure("statistics_step_subjects_most") <= STEP
    assert instance.figure("statistics_subjects_counted_total") - counted == SUBJECTS
    assert instance.figure("statistics_steps_total") - steps >= SUBJECTS / STEP
    assert len(seen) > 2  # polls were answered in between


def test_a_step_counts_at_most_the_requested_number(cluster, instance, counting_stopped):
    make_backlog(cluster)
    marks = "select count(distinct subject) from register.statistic_dirty"
    with cluster.open() as link, link.cursor() as cursor:
        for size in (1, 37, 100):
            cursor.execute(marks)
            before = cursor.fetchone()[0]
            cursor.execute("select statistic_fold_step(%s)", (size,))
            assert cursor.fetchone() == (size,)
            cursor.execute(marks)
            assert before - cursor.fetchone()[0] == size
        link.rollback()
    forget_marks(cluster)


def test_committees_take_turns(cluster, instance, counting_stopped):
    """A change of a small committee does not wait for the import of a large one."""
    cluster.execute("""
        insert into statistic_dirty (subject, lane, scopes)
            select gen_random_uuid(), 'GLA', '{GLA}' from generate_series(1, 1000);
        insert into statistic_dirty (subject, lane, scopes) select gen_random_uuid(), 'ORK', '{ORK}'""")
    with cluster.open() as link, link.cursor() as cursor:
        cursor.execute("select statistic_fold_step(10);"
                       "select lane, count(*) from statistic_dirty group by 1")
        assert cursor.fetchall() == [("GLA", 991)]
        link.rollback()
    forget_marks(cluster)


@pytest.fixture
def due(cluster):
    """Makes a release due today; restores the demonstration's own releases afterwards."""
    cluster.execute("""
        create table kept_release as table statistic_release;
        create table kept_cell as table statistic_released_cell;
        truncate statistic_released_cell, statistic_release;
        update statistic_day set installed_on = installed_on - 1;
        insert into statistic_release_plan (released_on, name, covers_to)
            values (today(), '2099', date_trunc('month', today()::timestamp)::date)""")
    yield "2099"
    cluster.execute("""
        delete from statistic_release_plan where name = '2099';
        truncate statistic_released_cell, statistic_release;
        insert into statistic_release table kept_release;
        insert into statistic_released_cell table kept_cell;
        drop table kept_release, kept_cell;
        update statistic_day set installed_on = installed_on + 1""")


def test_a_release_is_made_after_the_backlog_of_its_day(analyst, dashboard, cluster, instance, due):
    """In steps, and not before the backlog is counted; no reader is refused meanwhile."""
    with cluster.holding(LOCK):
        make_backlog(cluster)
        wait_until(lambda: dashboard.send("getStatistics", table="decisions").expect(200)["release"] in (None, due),
                   "the releases that were removed are forgotten")
    wait_until(lambda: dashboard.send("listStatistics").expect(200)["releases"], "what statistics count")
    assert polls(analyst, dashboard)
    until_counted(analyst, cluster)
    reply = dashboard.send("getStatistics", table="caseload").expect(200)
    live = analyst.send("getStatistics", table="caseload", query="view=live").expect(200)
    shown = {(row["category"], row["figure"]): row["value"] for row in reply["rows"] if row["status"] == "released"}
    exact = {(row["category"], row["figure"]): row["value"] for row in live["rows"]}
    assert reply["release"] == due and shown and all(exact[key] == value for key, value in shown.items())
    assert instance.figure("statistics_release_failed") == 0
    assert cluster.execute("select made_at > counted_at, fault from register.statistic_release") == [(True, None)]


def test_a_failed_release_does_not_stop_counting(analyst, dashboard, cluster, instance, due, counting_stopped):
    signature = "(bigint[], boolean[], bigint, integer, integer, boolean, boolean)"
    cluster.execute(f"alter function statistic_protect{signature} rename to protect_kept")
    instance.errors_expected = True
    try:
        counting_stopped()
        wait_until(lambda: instance.figure("statistics_release_failed") == 1, "what statistics count")
        lines = [line["message"] for line in instance.log_lines() if "2099" in line.get("message", "")]
        assert len(lines) == 1 and "42883" in lines[0]
        make_backlog(cluster)
        until_counted(analyst, cluster)
        assert dashboard.send("listStatistics").expect(200)["releases"] == []
    finally:
        cluster.execute(f"alter function protect_kept{signature} rename to statistic_protect")
        instance.complaints()
        instance.errors_expected = False
    cluster.execute("update register.statistic_release set tried_at = now() - interval '11 minutes'")
    wait_until(lambda: dashboard.send("listStatistics").expect(200)["releases"], "what statistics count")
    wait_until(lambda: instance.figure("statistics_release_failed") == 0, "what statistics count")
