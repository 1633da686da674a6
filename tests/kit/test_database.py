"""A PostgreSQL reporting database: pushed, refused, corrected, and continued after kills and outages."""
import random
import signal
import subprocess

import pytest

from council import new_row
from payloads import today
from waiting import WATCHDOG_S, wait_until

KILLS = 25


@pytest.fixture
def ready(council, reporting):
    del council.settings["folders"]["csv"]
    council.kit("lists")
    return council


def stored(reporting):
    return sorted(set(reporting.rows("source_reference", "referral_id")))


def test_rows_are_pushed_and_outcomes_written_back(ready, reporting, committee):
    reporting.insert(new_row("A/1"), new_row("A/2"))
    ready.kit("run")
    assert stored(reporting) == ready.referrals() and len(stored(reporting)) == 2
    assert reporting.rows("status", "referral_status") == [("stored", "submitted")] * 2
    case = committee.send("acceptReferral", {"accepted_on": today()}, id=ready.referrals()[0][1]).expect(201)
    ready.kit("run")
    assert reporting.rows("referral_status", "decided_on", "case_reference") == [
        ("accepted", today(), case["case_reference"]), ("submitted", None, None)]


def test_a_refused_row_has_its_problem_and_is_sent_again_when_corrected(ready, reporting):
    reporting.insert(new_row("B/1", notified_on="2999-01-01"), new_row("B/2"))
    ready.kit("run", status=1)
    (status, column, problem), _ = reporting.rows("status", "problem_columns", "problem")
    assert (status, column) == ("refused", "notified_on") and problem.startswith("notified_on: ")
    reporting.execute("update learning_reviews_kit.referral_row set notified_on = %s where id = 1", today())
    ready.kit("run")
    assert reporting.rows("status", "problem") == [("stored", None)] * 2
    assert stored(reporting) == ready.referrals()


def test_a_changed_row_of_a_stored_referral_is_a_conflict_and_keeps_its_referral(ready, reporting):
    reporting.insert(new_row("C/1"))
    ready.kit("run")
    before = ready.referrals()
    reporting.execute("update learning_reviews_kit.referral_row set basis = 'Another text.'")
    assert "1 refused" in ready.kit("run", status=1)
    assert reporting.rows("status", "problem_columns", "referral_id") == [
        ("refused", "source_reference", before[0][1])]
    assert ready.referrals() == before


def test_a_row_that_changes_while_it_is_sent_stays_new(ready, reporting, line):
    """Its answer belongs to the former content. The next batch sends the new one, which conflicts."""
    reporting.insert(new_row("D/1"))

    def change(number):
        if number == 0:
            reporting.execute("update learning_reviews_kit.referral_row set basis = 'Another text.'")
        return True
    line.before = change
    ready.kit("run", status=1)
    assert len(line.keys) == 2 and reporting.rows("status") == [("refused",)]


def test_kills_at_random_moments_lose_and_double_nothing(ready, reporting):
    chosen, killed = random.Random(4712), 0
    for number in range(KILLS):
        reporting.insert(*[new_row(f"K{number}/{row}") for row in range(chosen.randrange(5, 30))])
        process = ready.start("run")
        try:
            process.wait(timeout=chosen.uniform(0.15, 0.9))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
        process.communicate()
    wait_until(lambda: not reporting.execute("select 1 from pg_stat_activity where usename = 'learning_reviews_kit' "
                                             "and datname = current_database()"), "killed runs leave the database")
    ready.kit("run")
    rows = reporting.rows("source_reference")
    print(f"{killed} kills, {len(rows)} rows, {len(ready.referrals())} referrals")
    assert stored(reporting) == ready.referrals() and len(ready.referrals()) == len(rows) and killed > 5
    assert set(reporting.rows("status", "referral_status")) == {("stored", "submitted")}


def test_a_run_continues_after_an_outage_of_the_service(ready, reporting, line, instance):
    """The service is killed before the second batch and starts again while the kit waits."""
    ready.settings["register"]["patience_seconds"] = "300"
    reporting.insert(*[new_row(f"E/{number}") for number in range(20)])
    def outage(number):
        if number == 1:
            instance.signal(signal.SIGKILL)
            instance.process.wait()
        if number == 2:
            instance.start()
        return number != 1
    line.before = outage
    process = ready.start("run")
    said = process.communicate(timeout=4 * WATCHDOG_S)[0]
    assert process.returncode == 0 and "trying again" in said, said
    assert line.keys[1] == line.keys[2] and len(set(line.keys)) == len(line.keys) - 1
    assert stored(reporting) == ready.referrals() and len(ready.referrals()) == 20


def test_a_run_without_the_register_ends_with_69_and_the_next_one_continues(ready, reporting, line):
    reporting.insert(*[new_row(f"F/{number}") for number in range(10)])
    line.before = lambda number: number != 1
    assert "the next run continues" in ready.kit("run", status=69)
    ready.kit("run")
    assert stored(reporting) == ready.referrals() and len(ready.referrals()) == 10


def test_a_run_without_the_database_ends_with_69(ready, reporting):
    ready.settings["database"]["connection"] += " port=1"
    assert "[database] connection" in ready.kit("run", status=69)


def test_the_role_of_the_kit_cannot_change_content(ready, reporting):
    reporting.insert(new_row("G/1"))
    found = reporting.execute("select column_name from information_schema.column_privileges "
                              "where grantee = 'learning_reviews_kit' and privilege_type = 'UPDATE'")
    assert "status" in {name for name, in found} and not {name for name, in found} & set(new_row("G/1"))
