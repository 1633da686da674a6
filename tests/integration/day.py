"""The day of the tests: one for the whole run, in the tests and in their databases, even when midnight passes."""
import datetime
import os
import zoneinfo

SCOTLAND = zoneinfo.ZoneInfo("Europe/London")
VARIABLE = "LR_TESTS_DAY"  # inherited by the workers of a run


def real():
    return datetime.datetime.now(SCOTLAND).date()


def keep():
    """Fixes today as the day of the first call: for the conftest.py of a suite."""
    os.environ.setdefault(VARIABLE, real().isoformat())


def today():
    kept = os.environ.get(VARIABLE)
    return datetime.date.fromisoformat(kept) if kept else real()


def keep_in(cluster):
    """Fixes the day in a newly migrated database: the register reads the day in one function only."""
    if VARIABLE in os.environ:
        cluster.execute("create or replace function register.today() returns date language sql stable as "
                        f"$$ select date '{today().isoformat()}' $$")
