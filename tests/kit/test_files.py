"""CSV files: pushed, refused, mapped, and continued after any kill."""
import os
import random
import signal
import subprocess

import pytest

from council import new_row
from payloads import today
from scenarios import decide, move, recommend
from waiting import WATCHDOG_S

KILLS = 25


@pytest.fixture
def ready(council):
    council.kit("lists")
    return council


def test_rows_of_a_file_become_referrals_with_their_children(ready, agency):
    ready.drop("week.csv", [new_row("A/1", child_id="c1"), {"source_reference": "A/1", "child_id": "c2",
                            "outcome": "none", "age_band": "1_4", "sex": "male"}, new_row("A/2")])
    ready.kit("run")
    results = ready.table("done", "week.results.csv")
    assert [(row["line"], row["status"]) for row in results] == [("2", "stored"), ("3", "stored"), ("4", "stored")]
    assert sorted({(row["source_reference"], row["referral_id"]) for row in results}) == ready.referrals()
    referral = agency.send("getReferral", id=results[0]["referral_id"]).expect(200)
    assert [child["sex"] for child in referral["children"]] == ["female", "male"]
    assert sorted(path.name for path in (ready.files / "done").iterdir()) == ["week.csv", "week.results.csv"]


def test_the_content_of_a_finished_file_is_forgotten(ready):
    ready.drop("secret.csv", [new_row("A/3", basis="Nobody may find these words later.")])
    ready.kit("run")
    kept = (ready.folder / "state" / "rows.sqlite").read_bytes()
    assert b"A/3" in kept and b"Nobody may find these words later." not in kept


def test_a_refusal_names_the_column_of_each_row(ready):
    ready.drop("bad.csv", [
        new_row("B/1"), new_row("B/2", notified_on="2999-01-01"), new_row("B/3", sex="F"),
        new_row("B/4", basis="Write to a.parent@example.org."), new_row("B/5", child_id="first"),
        {"source_reference": "B/5", "child_id": "second", "outcome": "died", "age_band": "5_10", "sex": "male",
         "age_years": "20"}])
    ready.kit("run", status=1)
    results = ready.table("failed", "bad.results.csv")
    assert [(row["status"], row["problem_columns"]) for row in results] == [
        ("stored", ""), ("refused", "notified_on"), ("refused", "sex"), ("refused", "basis"), ("refused", ""),
        ("refused", "age_years")]
    assert "enter it in own_codes of sexes.csv" in results[2]["problem"]
    assert "e-mail" in results[3]["problem"]
    assert [reference for reference, _ in ready.referrals()] == ["B/1"]


def test_a_corrected_file_stores_the_rest(ready):
    rows = [new_row("C/1"), new_row("C/2", age_band="5 to 10")]
    ready.drop("c.csv", rows)
    ready.kit("run", status=1)
    ready.drop("c.csv", [rows[0], {**rows[1], "age_band": "5_10"}])
    ready.kit("run")
    assert [reference for reference, _ in ready.referrals()] == ["C/1", "C/2"]
    assert {row["status"] for row in ready.table("done", "c.results.csv")} == {"stored"}


def test_own_codes_and_dates_of_excel_are_mapped(ready, agency):
    path = ready.folder / "mappings" / "sexes.csv"
    text = path.read_text(encoding="utf-8-sig").replace(",female,", "F;Girl,female,")
    path.write_bytes(text.encode("cp1252"))
    ready.kit("lists")
    assert "F;Girl,female" in path.read_text(encoding="utf-8-sig")
    ready.drop("excel.csv", [new_row("D/1", sex="girl", basis="A café – “quoted”", aware_on="01/02/2026")],
               encoding="cp1252", delimiter=";")
    ready.kit("run")
    referral = agency.send("getReferral", id=ready.referrals()[0][1]).expect(200)
    assert (referral["children"][0]["sex"], referral["basis"], referral["aware_on"]) == (
        "female", "A café – “quoted”", "2026-02-01")


def test_a_file_that_is_no_table_of_referrals_fails_with_the_reason(ready):
    ready.drop("wrong.csv", [{"source_reference": "E/1", "child_id": "c", "gender": "f", "notified": "x"}])
    ready.kit("run", status=1)
    assert "there is no column 'gender'" in ready.table("failed", "wrong.results.csv")[0]["problem"]
    assert ready.referrals() == []


def test_a_name_used_twice_overwrites_nothing(ready):
    for reference in ("F/1", "F/2"):
        ready.drop("same.csv", [new_row(reference)])
        ready.kit("run")
    assert [ready.table("done", name)[0]["source_reference"] for name in ("same.csv", "same (2).csv")] == ["F/1", "F/2"]
    assert len(ready.referrals()) == 2


def test_a_batch_without_a_recorded_answer_is_sent_under_the_same_key(ready, line):
    """The kit is killed after the register stored the batch, before it can record the answer."""
    ready.drop("crash.csv", [new_row(f"G/{number}") for number in range(5)])
    running = []

    def kill(number):
        if number == 0:
            running[0].kill()
        return number > 0
    line.after = kill
    line.before = lambda number: bool(running) or running.append(process) or True
    process = ready.start("run")
    process.communicate(timeout=WATCHDOG_S)
    assert process.returncode == -signal.SIGKILL
    stored = ready.referrals()
    ready.kit("run")
    assert len(line.keys) == 2 and len(set(line.keys)) == 1 and line.replayed == [None, "true"]
    assert ready.referrals() == stored and len(stored) == 5


def test_kills_at_random_moments_lose_and_double_nothing(ready):
    chosen = random.Random(int(os.environ.get("LR_KIT_SEED", "4711")))
    wanted, killed, number = set(), 0, 0
    while killed < KILLS or list((ready.files / "in").glob("*.csv")) or list((ready.files / "working").glob("*.csv")):
        if killed < KILLS:
            number += 1
            references = [f"K{number}/{row}" for row in range(chosen.randrange(5, 40))]
            wanted |= set(references)
            ready.drop(f"{number}.csv", [new_row(one) for one in references])
        process = ready.start("run")
        try:
            process.wait(timeout=chosen.uniform(0.1, 0.7) if killed < KILLS else WATCHDOG_S)
        except subprocess.TimeoutExpired:  # it still runs
            process.kill()
            killed += 1
        process.communicate()
    ready.kit("run")
    results = [row for one in range(1, number + 1) for row in ready.table("done", f"{one}.results.csv")]
    print(f"{killed} kills, {len(results)} rows, {len(ready.referrals())} referrals")
    assert sorted((row["source_reference"], row["referral_id"]) for row in results) == ready.referrals()
    assert sorted(wanted) == [reference for reference, _ in ready.referrals()]
    assert {row["status"] for row in results} == {"stored"}
    assert sorted((row["source_reference"], row["referral_id"]) for row in ready.table("outcomes.csv")) == \
        ready.referrals()


def test_the_outcome_of_each_referral_is_written_back(ready, committee):
    ready.drop("h.csv", [new_row("H/1"), new_row("H/2"), new_row("H/3")])
    ready.kit("run")
    accepted, rejected, waiting = [one for _, one in ready.referrals()]
    case = committee.send("acceptReferral", {"accepted_on": today(), "case_id": None}, id=accepted).expect(201)
    committee.send("rejectReferral", {"rejected_on": today(), "reason": "duplicate", "note": "Known already."},
                   id=rejected).expect(201)
    ready.kit("run")
    rows = {row["referral_id"]: row for row in ready.table("outcomes.csv")}
    assert (rows[accepted]["referral_status"], rows[accepted]["case_reference"], rows[accepted]["case_stage"]) == (
        "accepted", case["case_reference"], "notification")
    assert (rows[rejected]["referral_status"], rows[rejected]["reason"], rows[rejected]["note"]) == (
        "rejected", "duplicate", "Known already.")
    assert rows[waiting]["referral_status"] == "submitted"


def test_the_decision_on_the_case_is_written_back(ready, committee):
    ready.drop("i.csv", [new_row("I/1")])
    ready.kit("run")
    referral = ready.referrals()[0][1]
    accepted = committee.send("acceptReferral", {"accepted_on": today(), "case_id": None}, id=referral).expect(201)
    committee.send("acknowledgeReferral", {"acknowledged_on": today()}, id=referral)
    ready.kit("run")
    case = accepted["case_id"]
    for stage in ("information_gathering", "recommendation"):
        move(committee, case, stage).expect(200, 201)
    recommend(committee, case).expect(201)
    move(committee, case, "decision").expect(200, 201)
    decide(committee, case, "do_not_proceed").expect(201)
    ready.kit("run")
    assert ready.table("outcomes.csv")[0]["case_decision"] == "do_not_proceed"
