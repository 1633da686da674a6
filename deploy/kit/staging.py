"""The staging table: the rows, their status, the register's answers and the outcomes.

Rows of CSV files are in an SQLite file in the state folder; rows of a reporting database are in its PostgreSQL table
(staging-postgresql.sql). Both have the same columns, and this module is all that writes to them.

    new → sending → stored or refused

Each step is committed before the next one begins. A batch gets its ID with `sending`, before the request: rows that are
still `sending` when a run begins belong to a batch whose answer is not known, and are sent again under the same ID.
"""
import contextlib
import sqlite3

import columns
from problems import Away, SettingProblem

OUTCOME = ["reference", "referral_status", "referral_committee", "acknowledged_on", "decided_on", "reason", "note",
           "case_reference", "case_stage", "case_decision"]
ANSWER = ["status", "batch", "referral_id", "problem_columns", "problem", "version"]


def outcome_of(document):
    """Returns the values of OUTCOME in the document of a referral."""
    renamed = {"referral_status": "status", "referral_committee": "committee"}
    return [document.get(renamed.get(name, name)) for name in OUTCOME]


class Staging:
    def __init__(self, link, table, mark, key):
        """`mark` is the placeholder of the driver; `key` has the columns that rows of one referral share."""
        self.link, self.table, self.mark, self.key = link, table, mark, key
        self.errors = ()  # errors of the driver that mean that the database is away
        self.names = ["id", *columns.NAMES, *ANSWER, *[name for name in key if name not in columns.NAMES]]

    def run(self, statement, *values):
        try:
            cursor = self.link.cursor()
            cursor.execute(statement.replace("TABLE", self.table).replace("?", self.mark), values)
            return cursor.fetchall() if cursor.description else cursor.rowcount
        except self.errors as reason:
            raise self.away(reason) from None

    def commit(self):
        try:
            self.link.commit()
        except self.errors as reason:
            raise self.away(reason) from None

    def away(self, reason):
        return Away(f"[database] table = {self.table}: {' '.join(str(reason).split())}; the next run continues")

    def rows(self, condition, *values):
        found = self.run(f"select {', '.join(self.names)} from TABLE {condition}", *values)
        return [dict(zip(self.names, one)) for one in found]

    def groups(self, rows):
        """Returns the rows of each referral; referrals are in the order of their first rows."""
        found = {}
        for row in rows:
            found.setdefault(tuple(row[name] or "" for name in self.key), []).append(row)
        return list(found.values())

    def in_doubt(self):
        """Returns the batches that were sent without a recorded answer: (ID, groups)."""
        batches = {}
        for row in self.rows("where status = 'sending' order by batch, id"):
            batches.setdefault(row["batch"], []).append(row)
        return [(batch, self.groups(rows)) for batch, rows in batches.items()]

    def fresh(self, count):
        """Returns the groups of at most `count` referrals that have a new row, with all their rows."""
        same = " and ".join(f"coalesce(TABLE.{name}, '') = fresh.{name}" for name in self.key)
        shared = ", ".join(f"coalesce({name}, '') as {name}" for name in self.key)
        numbers = ", ".join(str(number + 1) for number in range(len(self.key)))
        first = f"select {shared}, min(id) as first from TABLE where status = 'new' group by {numbers}"
        return self.groups(self.rows(
            f"where id in (select TABLE.id from TABLE join ({first} order by first limit {count}) as fresh on {same}) "
            "order by id"))

    def begin(self, batch, groups):
        for row in (row for rows in groups for row in rows):
            self.run("update TABLE set status = 'sending', batch = ? where id = ?", batch, row["id"])
        self.commit()

    def release(self, rows):
        """Rows that the register could not judge now are new again."""
        for row in rows:
            self.run("update TABLE set status = 'new', batch = null where id = ? and status = 'sending'", row["id"])

    def store(self, rows, batch, referral_id):
        """Without a version, the outcome is read for the first time."""
        for row in rows:
            self.run("update TABLE set status = 'stored', referral_id = ?, version = null, problem = null, "
                     "problem_columns = null, answered_at = current_timestamp "
                     "where id = ? and status = 'sending' and batch = ?", referral_id, row["id"], batch)

    def refuse(self, rows, faults, status):
        """Records the faults of each row that still has this status or is new."""
        for index, row in enumerate(rows):
            own = [fault for fault in faults if fault.row == index]
            text = "; ".join(f"{fault.column}: {fault.message}" for fault in own) or "see its other rows"
            self.run("update TABLE set status = 'refused', problem = ?, problem_columns = ?, "
                     "answered_at = current_timestamp where id = ? and status in (?, 'new')", text,
                     ",".join(dict.fromkeys(fault.column for fault in own)), row["id"], status)

    def version_of(self, referral_id):
        """Returns whether a row has this referral, and the version of its outcome."""
        found = self.run("select version from TABLE where referral_id = ? order by version limit 1", referral_id)
        self.commit()  # no transaction stays open while the register is asked
        return (True, found[0][0]) if found else (False, None)

    def unread(self):
        """Returns the referrals whose outcome was never read."""
        found = self.run("select distinct referral_id from TABLE where referral_id is not null and version is null")
        self.commit()
        return [one for one, in found]

    def write_outcome(self, referral_id, document):
        """Writes the outcome of a referral; None: the register no longer shows the referral."""
        if document is None:
            self.run("update TABLE set referral_status = 'removed', version = coalesce(version, 0) "
                     "where referral_id = ?", referral_id)
        else:
            names = ", ".join(f"{name} = ?" for name in OUTCOME)
            self.run(f"update TABLE set {names}, version = ? where referral_id = ?", *outcome_of(document),
                     document["version"], referral_id)
        self.commit()

    def count(self, status):
        return self.run("select count(*) from TABLE where status = ?", status)[0][0]

    def close(self):
        self.link.close()


def open_files(state):
    """Opens the rows of CSV files."""
    state.mkdir(parents=True, exist_ok=True)
    link = sqlite3.connect(state / "rows.sqlite", timeout=0)
    link.execute("pragma synchronous = full")
    link.execute("pragma secure_delete = on")  # forgotten content leaves no trace in the file
    kinds = ["id integer primary key", "file text not null", "line integer not null",
             *[f"{name} text" for name in columns.NAMES],
             "status text not null default 'new'", "batch text", "referral_id text", "problem_columns text",
             "problem text", "answered_at text", "version integer", *[f"{name} text" for name in OUTCOME]]
    link.execute(f"create table if not exists referral_row ({', '.join(kinds)})")
    link.execute("create index if not exists referral_row_referral_id on referral_row (referral_id)")
    link.commit()
    return Staging(link, "referral_row", "?", ["file", "source_system", "source_reference"])


def open_database(settings):
    """Opens the staging table of the reporting database, and keeps other runs away from it."""
    try:
        import psycopg2
    except ImportError:
        raise SettingProblem("[database] connection", settings.connection, "needs psycopg2: python3-psycopg2 on "
                             "Debian, `py -m pip install psycopg2-binary` on Windows") from None
    try:
        link = psycopg2.connect(settings.connection)
    except psycopg2.OperationalError as reason:
        raise Away(f"[database] connection = {settings.connection}: {' '.join(str(reason).split())}; "
                   "the next run continues") from None
    staging = Staging(link, settings.table, "%s", ["source_system", "source_reference"])
    try:
        staging.run(f"select {', '.join(staging.names + OUTCOME)} from TABLE limit 0")
    except psycopg2.Error as reason:
        raise SettingProblem("[database] table", settings.table, f"{str(reason).splitlines()[0]}; run "
                             "staging-postgresql.sql, or grant what it grants") from None
    staging.errors = (psycopg2.Error,)
    if not staging.run("select pg_try_advisory_lock(hashtext(?))", "learning-reviews-kit " + settings.table)[0][0]:
        raise Away(f"[database] table = {settings.table}: another run uses it; the next run continues")
    staging.commit()
    return staging


@contextlib.contextmanager
def only_run(state):
    """Holds the lock of the state folder; yields False while another run holds it. A killed run holds nothing."""
    state.mkdir(parents=True, exist_ok=True)
    link = sqlite3.connect(state / "lock.sqlite", timeout=0, isolation_level=None)
    try:
        link.execute("begin exclusive")
        yield True
    except sqlite3.OperationalError as reason:
        if "locked" not in str(reason):
            raise
        yield False
    finally:
        link.close()
