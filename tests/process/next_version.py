"""Writes schema_texts.c of a next version: this one with next_version.sql as its last migration, and with other code:
one function has one more parameter, and one function is new. With `contracting`, one more migration removes objects
that older code needs.

    next_version.py REPOSITORY FOLDER [contracting]
"""
import pathlib
import re
import shutil
import sys

repository, out = map(pathlib.Path, sys.argv[1:3])
sys.path.insert(0, str(repository / "service" / "db"))

from embed import write_schema  # noqa: E402

schema = out / "sql"
shutil.rmtree(schema, ignore_errors=True)
shutil.copytree(repository / "sql", schema)
shutil.copy(repository / "tests" / "process" / "next_version.sql", schema / "migrations" / "9999_next_version.sql")
cases = schema / "case" / "case.sql"
text, changed = re.subn(r"(create function case_open\([^)]*)\)", r"\1, next_note text default null)", cases.read_text())
if changed != 1:
    sys.exit(f"{cases}: case_open is not there")
cases.write_text(text + """
-- No version before has it.
create function next_code() returns text language sql immutable as $$ select 'next' $$;
""")
if sys.argv[3:] == ["contracting"]:
    (schema / "migrations" / "9999_next_version_contracts.sql").write_text(
        "-- contracts\nalter table referral drop column next_note;\n")
write_schema(schema, out)
