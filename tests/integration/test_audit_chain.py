"""`check audit` names the first entry that was altered, removed or added, whichever role did it."""
import re
import subprocess

import pytest

from cluster import DATABASE, Cluster
from service import Instance, Secrets
from waiting import WATCHDOG_S

ENTRIES = 300
ADD = """
select set_config('register.organisation', 'CPC-GLA', false), set_config('register.area', 'GLA', false),
    set_config('register.client', 'tests', false);
select audit_write('getCase', case when n % 3 = 0 then 'change' else 'read' end, 'request-' || n, 'cases',
        array[gen_random_uuid()], array[gen_random_uuid()], nullif(n % 4, 0))
    from generate_series(1, {}) n"""
SEAL = "select audit_seal_next(100000)"


class Trail:
    """A database with only an audit trail, and helpers that act as its superuser."""

    def __init__(self):
        self.cluster, self.keys = Cluster(), Secrets()
        self.instance = Instance(self.cluster, self.keys)

    def add(self, entries):
        self.cluster.execute(ADD.format(entries))

    def seal(self):
        """Called twice: the first call only finds up to which entry it may seal once all transactions have ended."""
        return sum(self.cluster.execute(SEAL)[0][0] for _ in range(2))

    def check(self, *words, database=DATABASE):
        environment = dict(self.instance.environment)
        environment["LR_DATABASE"] = f"host={self.cluster.folder} user=register_service dbname={database}"
        done = subprocess.run([self.instance.binary, "check", "audit", *words], env=environment, timeout=WATCHDOG_S,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    def tamper(self, statement, parameters=None):
        """Runs as a superuser who disabled the triggers."""
        self.cluster.execute("set session_replication_role = replica; "
                             + statement, parameters)

    def numbers(self):
        return [number for number, in self.cluster.execute(
            "select number from register.audit_entry order by number")]

    def remove(self):
        self.cluster.remove()
        self.keys.remove()


@pytest.fixture(scope="module")
def trail():
    made = Trail()
    try:
        made.add(ENTRIES)
        assert made.seal() == ENTRIES
        made.add(3)
        made.tamper("create table kept_entry as select * from audit_entry; "
                    "create table kept_seal as select * from audit_seal; "
                    "create table kept_head as select * from audit_head")
        yield made
    finally:
        made.remove()


@pytest.fixture
def mended(trail):
    """Restores the trail; `check audit` must accept it again."""
    yield trail
    for name in ("entry", "seal", "head"):
        trail.tamper(f"delete from audit_{name}; insert into audit_{name} select * from kept_{name}")
    assert trail.check()[0] == 0


def sealed_numbers(trail):
    return trail.numbers()[:ENTRIES]


def named(said):
    return [int(one) for one in re.findall(r"entry (\d+)", said)]


def test_an_unchanged_trail_is_whole(trail):
    status, said = trail.check()
    assert status == 0
    assert f"in order, {ENTRIES} entries sealed, 0 of them removed since, 3 not sealed yet" in said


CHANGES = {
    "at": "at + interval '1 microsecond'", "organisation": "'CPC-EDH'", "client": "client || ' '",
    "operation": "'getChild'", "kind": "case kind when 'read' then 'change' else 'read' end",
    "request": "request || '0'", "collection": "'actions'", "ids": "ids || ids", "cases": "'{NULL}'",
    "committees": "'{FIF}'", "parts": "'{}'", "items": "coalesce(items, 0) + 1",
}


@pytest.mark.parametrize("column, place", [
    *[(column, ENTRIES // 2) for column in CHANGES],
    *[("client", place) for place in (0, 1, ENTRIES - 2, ENTRIES - 1)]])
def test_an_altered_value_is_found(mended, column, place):
    """Tests each column in one row, and each row with one column: the hash of a value does not depend on its row."""
    number = sealed_numbers(mended)[place]
    mended.tamper(f"update audit_entry set {column} = {CHANGES[column]} where number = %s", (number,))
    status, said = mended.check()
    assert (status, named(said)) == (1, [number]), said


@pytest.mark.parametrize("place", [0, ENTRIES // 2, ENTRIES - 1])
def test_every_byte_of_a_seal_is_checked(mended, place):
    number = sealed_numbers(mended)[place]
    for byte in (0, 15, 31):
        mended.tamper("update audit_seal set hash = set_byte(hash, %s, get_byte(hash, %s) # 1) where number = %s",
                      (byte, byte, number))
        status, said = mended.check()
        assert (status, named(said)) == (1, [number]), said


def test_null_and_an_empty_value_differ(mended):
    number = sealed_numbers(mended)[10]
    mended.tamper("update audit_entry set items = case when items is null then 0 end where number = %s", (number,))
    assert named(mended.check()[1]) == [number]


def test_a_word_that_moves_to_the_next_column_is_found(mended):
    number = sealed_numbers(mended)[10]
    mended.tamper("update audit_entry set organisation = left(organisation, -1), "
                  "client = right(organisation, 1) || client where number = %s", (number,))
    assert named(mended.check()[1]) == [number]


@pytest.mark.parametrize("place", [0, 1, ENTRIES // 2, ENTRIES - 2, ENTRIES - 1])
def test_a_missing_entry_is_found(mended, place):
    number = sealed_numbers(mended)[place]
    mended.tamper("delete from audit_entry where number = %s", (number,))
    status, said = mended.check()
    assert (status, said) == (1, f"audit trail: FAULT: entry {number} is missing\n")


@pytest.mark.parametrize("place", [0, 1, ENTRIES // 2, ENTRIES - 2])
def test_an_entry_removed_with_its_seal_is_found(mended, place):
    numbers = sealed_numbers(mended)
    for table in ("entry", "seal"):
        mended.tamper(f"delete from audit_{table} where number = %s", (numbers[place],))
    status, said = mended.check()
    assert (status, named(said)) == (1, [numbers[place + 1]])
    assert f"1 of the entries before entry {numbers[place + 1]} are missing" in said
    assert f"position {place + 1} of the chain" in said


@pytest.mark.parametrize("place", [0, ENTRIES // 2, ENTRIES - 1])
def test_a_missing_seal_is_found(mended, place):
    number = sealed_numbers(mended)[place]
    mended.tamper("delete from audit_seal where number = %s", (number,))
    status, said = mended.check()
    assert (status, named(said)) == (1, [number])


INSERT = """insert into audit_entry select (e).* from (
    select jsonb_populate_record(a, jsonb_build_object('number', %s)) as e from audit_entry a where number = %s) one"""


@pytest.mark.parametrize("gap", ["first", "middle"])
def test_an_added_entry_is_found(mended, gap):
    numbers = sealed_numbers(mended)
    if gap == "first":
        number = numbers[0] - 1
    else:
        # Numbers have a gap after a rollback: here one is made manually, and sealed again.
        number = numbers[150]
        mended.tamper("delete from audit_entry where number = %s; delete from audit_seal where number >= %s",
                      (number, number))
        reseal(mended, numbers[149])
        assert mended.check()[0] == 0
    mended.tamper(INSERT, (number, numbers[0]))
    status, said = mended.check()
    assert (status, said) == (1, f"audit trail: FAULT: entry {number} was added, or its seal was removed\n")


def test_two_swapped_entries_are_found(mended):
    numbers = sealed_numbers(mended)
    first, second = numbers[100], numbers[200]
    mended.tamper("update audit_entry set number = 0 where number = %s; "
                  "update audit_entry set number = %s where number = %s; "
                  "update audit_entry set number = %s where number = 0", (first, first, second, second))
    status, said = mended.check()
    assert (status, named(said)) == (1, [first])


def test_two_swapped_seals_are_found(mended):
    numbers = sealed_numbers(mended)
    mended.tamper("update audit_seal set position = case position when 101 then 201 else 101 end "
                  "where position in (101, 201)")
    status, said = mended.check()
    assert status == 1 and numbers[100] in named(said)


@pytest.mark.parametrize("gone", [1, 50])
def test_entries_cut_off_at_the_end_are_found(mended, gone):
    numbers = sealed_numbers(mended)
    for table in ("entry", "seal"):
        mended.tamper(f"delete from audit_{table} where number > %s", (numbers[-gone - 1],))
    status, said = mended.check()
    assert status == 1
    assert f"{gone} entries are missing at the end, behind entry {numbers[-gone - 1]}" in said


def reseal(trail, number):
    """Acts as an attacker who knows the chain's format: seals all entries after a number again."""
    trail.tamper("delete from audit_seal where number > %s", (number,))
    trail.tamper("update audit_head set (position, number, hash, next_number, next_transaction) = "
                 "(s.position, s.number, s.hash, 0, '0') from audit_seal s where s.number = %s", (number,))
    trail.seal()


def anchor_of(said):
    return re.search(r"anchor: (\S+)", said)[1]


def test_an_anchor_reveals_a_trail_that_was_sealed_again(mended):
    numbers = sealed_numbers(mended)
    anchor = anchor_of(mended.check()[1])
    mended.tamper("update audit_entry set client = 'somebody-else' where number = %s", (numbers[100],))
    reseal(mended, numbers[99])
    assert mended.check()[0] == 0
    status, said = mended.check("--anchor", anchor)
    assert status == 1 and "the anchor is not that of entry" in said


def test_an_anchor_reveals_a_trail_whose_end_and_head_were_cut_off(mended):
    numbers = sealed_numbers(mended)
    anchor = anchor_of(mended.check()[1])
    mended.tamper("delete from audit_entry where number > %s", (numbers[249],))
    reseal(mended, numbers[249])
    assert mended.check()[0] == 0
    status, said = mended.check("--anchor", anchor)
    assert (status, named(said)) == (1, [numbers[249]]) and "50 entries before the anchor" in said


def test_an_invalid_anchor_is_a_usage_error(trail):
    for words in (("--anchor", "12"), ("--anchor", "x:" + "0" * 64), ("--health",)):
        assert trail.check(*words)[0] == 64


def test_a_copy_in_another_cluster_continues_the_same_chain(trail):
    """A restored backup must do the same."""
    programs, folder = trail.cluster.programs, trail.cluster.folder
    trail.cluster.execute("create database copy", database="postgres")
    dump = subprocess.run([programs / "pg_dump", "-h", folder, "-U", "postgres", "-n", "register*", DATABASE],
                          check=True, stdout=subprocess.PIPE)
    subprocess.run([programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", folder, "-U", "postgres", "copy"],
                   check=True, input=dump.stdout, stdout=subprocess.DEVNULL)
    trail.cluster.use_code("copy")
    assert trail.check(database="copy") == trail.check()
    # Transaction numbers of another cluster may be higher or lower.
    trail.cluster.execute("update register.audit_head set next_transaction = '9000000000'", database="copy")
    sealed = [trail.cluster.execute(SEAL, database="copy")[0][0] for _ in range(3)]
    assert sum(sealed) == 3
    status, said = trail.check("--anchor", anchor_of(trail.check()[1]), database="copy")
    assert status == 0 and f"{ENTRIES + 3} entries sealed" in said


# --- expired entries -------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def old_trail():
    """The first 100 of 150 entries are older than seven years."""
    made = Trail()
    try:
        made.add(150)
        made.tamper("update audit_entry set at = at - interval '7 years 1 day' where number <= %s",
                    (made.numbers()[99],))
        made.seal()
        yield made
    finally:
        made.remove()


def test_expired_entries_are_removed_and_the_chain_stays_whole(old_trail):
    numbers, anchor = old_trail.numbers(), anchor_of(old_trail.check()[1])
    with pytest.raises(Exception, match="is kept for 7 years"):
        old_trail.cluster.execute("insert into register.audit_checkpoint (position, number, hash) "
                                  "select position, number, hash from register.audit_seal where number = %s",
                                  (numbers[120],))
    assert [old_trail.cluster.execute("select audit_prune(60)")[0][0] for _ in range(3)] == [60, 40, 0]
    assert old_trail.numbers()[:50] == numbers[100:]
    status, said = old_trail.check("--anchor", anchor)
    assert status == 0 and "150 entries sealed, 100 of them removed since, 2 not sealed yet" in said
    old_trail.seal()
    assert "152 entries sealed, 100 of them removed since, 0 not" in old_trail.check()[1]


def test_a_start_that_was_cut_off_manually_is_found(old_trail):
    test = old_trail.cluster.execute("select number from register.audit_entry order by number limit 1 offset 9")[0][0]
    old_trail.tamper("insert into audit_checkpoint (position, number, hash) "
                     "select position, number, hash from audit_seal where number = %s", (test,))
    for table in ("entry", "seal"):
        old_trail.tamper(f"delete from audit_{table} where number <= %s", (test,))
    status, said = old_trail.check()
    assert (status, said) == (1, f"audit trail: FAULT: the entries before entry {test + 1} are missing: "
                                 "the chain does not say that they were removed\n")
