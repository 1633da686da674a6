"""The table for SQL Server is parsed. Nothing runs it: no SQL Server is available to the tests."""
import os
import pathlib
import subprocess

import pytest

from council import KIT

SQLFLUFF = pathlib.Path(os.environ.get("LR_SQLFLUFF", KIT.parents[1] / "build" / "kit-tools" / "bin" / "sqlfluff"))


def parse(dialect, file):
    return subprocess.run([SQLFLUFF, "parse", "--dialect", dialect, file], timeout=300, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.mark.parametrize("dialect, file", [("tsql", "staging-sqlserver.sql"), ("postgres", "staging-postgresql.sql")])
def test_the_table_is_valid_in_its_dialect(dialect, file):
    done = parse(dialect, KIT / file)
    assert done.returncode == 0 and "unparsable" not in done.stdout, done.stdout[-2000:]


def test_the_parser_notices_a_mistake(tmp_path):
    text = (KIT / "staging-sqlserver.sql").read_text(encoding="utf-8").replace("create view", "create vew", 1)
    (tmp_path / "mistake.sql").write_text(text, encoding="utf-8")
    assert parse("tsql", tmp_path / "mistake.sql").returncode != 0


def test_the_table_says_that_nothing_ran_it():
    assert "NOT RUN" in (KIT / "staging-sqlserver.sql").read_text(encoding="utf-8").splitlines()[0]
