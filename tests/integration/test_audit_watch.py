"""The running service notices that the audit trail lost its end, has a gap, or lost a trigger."""
import re

import pytest

from service import Instance
from test_audit_chain import Trail
from waiting import wait_until

TABLES = ("entry", "seal", "head")


class Watched(Trail):
    """A trail with a service that watches it and keeps anchors in a file."""

    def __init__(self):
        super().__init__()
        self.file = self.watcher = None

    def start(self):
        self.watcher = Instance(self.cluster, self.keys, LR_AUDIT_ANCHOR_FILE=self.file, LR_AUDIT_ANCHOR_SECONDS=1)
        self.watcher.errors_expected = True
        self.watcher.start()
        return self

    def stop(self):
        if self.watcher is not None:
            assert self.watcher.stop() == 0
        self.watcher = None

    def grow(self, entries):
        """Adds entries, and waits until the service has sealed them."""
        self.add(entries)
        wait_until(lambda: self.cluster.execute("select count(*) from register.audit_entry e "
                                                "where e.number > (select number from register.audit_head)") == [(0,)],
                   "all entries are sealed")

    @property
    def head(self):
        return self.cluster.execute("select position, number, encode(hash, 'hex') from register.audit_head")[0]

    def anchors(self):
        return self.file.read_text().splitlines() if self.file.exists() else []

    def await_anchor(self):
        """Waits until the present end of the trail is the last anchor."""
        position, number, digest = self.head
        wait_until(lambda: self.anchors() and self.anchors()[-1].split(" ")[1:] == [f"{position}:{digest}", str(number)],
                   "the end of the trail is an anchor")

    def fault(self, name):
        return self.watcher.figure(f'audit_trail_faults{{fault="{name}"}}') == 1

    def faults(self):
        return {name for name in ("shortened", "altered", "gap", "trigger_disabled") if self.fault(name)}

    def errors(self):
        return [one["message"] for one in self.watcher.log_lines() if one["level"] == "error"]

    def cut(self, entries):
        """Removes the last entries with their seals, and moves the head back."""
        self.tamper("""
            delete from audit_entry where number in (select number from audit_seal order by position desc limit {0});
            delete from audit_seal where number in (select number from audit_seal order by position desc limit {0});
            update audit_head set (position, number, hash) =
                (select s.position, s.number, s.hash from audit_seal s order by s.position desc limit 1)
            """.format(entries))


@pytest.fixture(scope="module")
def whole():
    """One database for all tests: each begins with the same 40 entries."""
    made = Watched()
    try:
        made.add(40)
        assert made.seal() == 40
        made.tamper("".join(f"create table kept_{name} as select * from audit_{name};" for name in TABLES))
        yield made
    finally:
        made.remove()


@pytest.fixture
def trail(whole, tmp_path):
    whole.file = tmp_path / "anchors"
    whole.instance.environment.pop("LR_AUDIT_ANCHOR_FILE", None)
    yield whole.start()
    if whole.watcher is not None:
        whole.stop()
    for name in TABLES:
        whole.tamper(f"delete from audit_{name}; insert into audit_{name} select * from kept_{name}")
    assert whole.check()[0] == 0


def test_an_unchanged_trail_has_no_fault_and_gets_an_anchor_as_it_grows(trail):
    trail.await_anchor()
    trail.grow(5)
    trail.await_anchor()
    assert trail.faults() == set() and trail.errors() == []
    anchors = trail.anchors()
    assert len(anchors) == len(set(anchors)) >= 2
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \d+:[0-9a-f]{64} \d+", one) for one in anchors)
    assert [one["message"].split(" ")[-1] for one in trail.watcher.log_lines()
            if "is sealed up to" in one["message"]] == [one.split(" ")[1] for one in anchors]
    for anchor in anchors:
        assert trail.check("--anchor", anchor.split(" ")[1])[0] == 0


def test_a_head_that_moves_back_raises_an_alert_that_stays_after_growing(trail):
    trail.await_anchor()
    anchors = trail.anchors()
    trail.cut(7)
    assert trail.check()[0] == 0  # the rest of the chain is whole
    wait_until(lambda: trail.fault("shortened"), "the faults of the trail")
    assert any("ends at position 33 and was sealed up to position 40 before" in one for one in trail.errors())
    trail.grow(20)
    wait_until(lambda: trail.faults() == {"altered"}, "the faults of the trail")
    assert trail.anchors() == anchors  # the evidence is not overwritten
    status, said = trail.check("--anchor", anchors[-1].split(" ")[1])
    assert status == 1, said


def test_a_trail_that_was_sealed_again_raises_an_alert(trail):
    trail.await_anchor()
    trail.tamper("""
        update audit_entry set client = 'nobody' where number = (select max(number) from audit_seal);
        update audit_seal s set hash = sha256(b.hash || audit_bytes(e)) from audit_seal b, audit_entry e
            where s.position = 40 and b.position = 39 and e.number = s.number;
        update audit_head h set hash = s.hash from audit_seal s where s.position = 40""")
    wait_until(lambda: trail.faults() == {"altered"}, "the faults of the trail")


@pytest.mark.parametrize("what, position", [("seal", 12), ("entry", 20), ("seal and entry", 1)])
def test_a_gap_in_the_middle_raises_an_alert(trail, what, position):
    trail.await_anchor()
    [(number,)] = trail.cluster.execute("select number from register.audit_seal where position = %s", [position])
    for table in what.split(" and "):
        trail.tamper(f"delete from audit_{table} where number = %s", [number])
    wait_until(lambda: trail.faults() == {"gap"}, "the faults of the trail")
    assert any(f"position {position} has no seal or no entry" in one for one in trail.errors())
    status, said = trail.check()
    assert status == 1 and "missing" in said or "its seal was removed" in said, said


@pytest.mark.parametrize("table, trigger", [("audit_entry", "only_added"), ("audit_seal", "never_emptied"),
                                            ("audit_checkpoint", "old_enough"), ("referral", "feed_pushed")])
def test_a_disabled_trigger_raises_an_alert_until_it_is_enabled(trail, table, trigger):
    trail.cluster.execute(f"alter table register.{table} disable trigger {trigger}")
    wait_until(lambda: trail.faults() == {"trigger_disabled"}, "the faults of the trail")
    assert any(f"{table}.{trigger}" in one for one in trail.errors())
    trail.cluster.execute(f"alter table register.{table} enable trigger {trigger}")
    wait_until(lambda: trail.faults() == set(), "the faults of the trail")


def test_a_dropped_trigger_of_the_trail_raises_an_alert(trail):
    trail.cluster.execute("drop trigger only_added on register.audit_seal")
    wait_until(lambda: trail.faults() == {"trigger_disabled"}, "the faults of the trail")
    trail.cluster.execute("create trigger only_added before update or delete on audit_seal "
                          "for each row execute function audit_refuse()")
    wait_until(lambda: trail.faults() == set(), "the faults of the trail")


def test_a_trail_that_lost_its_end_while_the_service_was_down_is_reported_at_start(trail):
    trail.await_anchor()
    trail.stop()
    trail.cut(3)
    trail.start()
    wait_until(lambda: trail.fault("shortened"), "the faults of the trail")
    assert any("was sealed up to position 40 before" in one for one in trail.errors())
    status, said = trail.check("--anchor", trail.anchors()[-1].split(" ")[1])
    assert status == 1 and "3 entries before the anchor" in said


def test_check_uses_the_last_anchor_of_the_file(trail):
    trail.await_anchor()
    trail.stop()
    trail.cut(3)
    trail.instance.environment["LR_AUDIT_ANCHOR_FILE"] = str(trail.file)
    status, said = trail.check()
    assert status == 1 and "3 entries before the anchor" in said


def test_check_reports_numbers_that_no_entry_has(trail):
    trail.grow(1)
    before = re.search(r"numbers: (\d+) are", trail.check()[1])
    trail.cluster.execute("select nextval('register.audit_number') from generate_series(1, 1000)")
    trail.grow(1)
    status, said = trail.check()
    number, unused = trail.head[1], 1000 + (int(before[1]) if before else 0)
    assert status == 0 and f"numbers: {unused} are not used, at most 1000 in a row, before entry {number}" in said


def test_check_and_start_report_an_anchor_file_that_cannot_be_written(trail):
    trail.stop()
    bad = Instance(trail.cluster, trail.keys, LR_AUDIT_ANCHOR_FILE="/proc/no-such-folder/anchors")
    with pytest.raises(RuntimeError, match="LR_AUDIT_ANCHOR_FILE: nothing can be added"):
        bad.start()
    assert bad.process.wait() == 78
    bad.process = None


def test_an_anchor_that_cannot_be_written_is_counted_and_logged(trail):
    trail.await_anchor()
    trail.file.unlink()
    trail.file.mkdir()
    trail.grow(2)
    wait_until(lambda: trail.watcher.figure("audit_anchor_failures_total") >= 1, "an anchor fails")
    assert any("could not be written to its file" in one for one in trail.errors())
