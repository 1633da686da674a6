"""The day of the tests: one for the whole run, in the tests and in their databases, also when midnight passes."""
import datetime
import os
import zoneinfo

SCOTLAND = zoneinfo.ZoneInfo("Europe/London")
VARIABLE = "LR_TESTS_DAY"  # the workers of a run inherit it


def real():
    return datetime.datetime.now(SCOTLAND).date()


def keep():
    """From now on, today is the day on which this was called first: for the conftest.py of a suite."""
    os.environ.setdefault(VARIABLE, real().isoformat())


def today():
    kept = os.environ.get(VARIABLE)
    return datetime.date.fromisoformat(kept) if kept else real()


def keep_in(cluster):
    """The same for a database that was just migrated: there is one place where the register learns the day."""
    if VARIABLE in os.environ:
        cluster.execute("create or replace function register.today() returns date language sql stable as "
                        f"$$ select date '{today().isoformat()}' $$")
