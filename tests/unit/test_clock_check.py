"""The clock check (tests/clock_check.py) finds exactly the verdicts that depend on a clock."""
import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import clock_check  # noqa: E402


def found(text, name="test_x.py"):
    return [what for _, what in clock_check.findings(pathlib.Path(name), text)]


@pytest.mark.parametrize("text", [
    "time.sleep(1)", "sleep(0.1)", "cluster.execute('select pg_sleep(1)')",
    "assert time.monotonic() < end", "assert perf_counter() - began <= 2", "if time.time() > late: pass",
    "took = time.monotonic() - began\nassert took < 2", "def f():\n    took = time.time()\n    assert 3 < took * 2",
    "def f():\n    taken.append(time.monotonic() - began)\n    assert median(taken) < 1",
    "def f():\n    assert min(first := time.monotonic(), 3) < 1", "assert reply.elapsed.total_seconds() < 3",
    "requests.get(url, timeout=5)", "link.settimeout(0.5)", "wait(seconds=2)"])
def test_verdicts_that_depend_on_a_clock_are_found_in_python(text):
    assert len(found(text)) == 1


@pytest.mark.parametrize("text", [
    "usleep(300);", "sleep(2);", "nanosleep(&a, NULL);", "cr_expect(time(NULL) - begun < 2);",
    "while (seconds_now() - start <= most) {", "cr_expect_leq(time(NULL), end);", "Test(a, b, .timeout = 20) {"])
def test_verdicts_that_depend_on_a_clock_are_found_in_c(text):
    assert len(found(text, "test_x.c")) == 1


@pytest.mark.parametrize("text, name", [
    ("time.sleep(1)  # clock: between two looks", "a.py"), ("usleep(5); /* clock: between two looks */", "a.c"),
    ("assert (time.monotonic() - began\n        >= 2)  # clock: a lower bound", "a.py"),
    ("now = int(time.time())\nassert len(sign(now)) < 3", "a.py"), ("name = f'a-{time.time_ns()}'\nassert name < b", "a.py"),
    ("text = 'no asleep(x)'", "a.py"), ("assert started == time.time()", "a.py"), ("requests.get(url, timeout=60)", "a.py"),
    ("int64_t begun = time(NULL);", "a.c"), ('puts("sleep(1)"); /* not sleep(2) */', "a.c"),
    ("set->fetch_at = seconds_now() + 1;", "a.c"), ("Test(a, b, .timeout = 120) {", "a.c")])
def test_reasons_and_lines_without_a_verdict_are_accepted(text, name):
    assert found(text, name) == []


def test_a_reason_must_not_be_empty():
    assert found("time.sleep(1)  # clock:") == ["a pause"]
