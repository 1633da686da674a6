"""Writes schema_texts.c of a next version: the schema of this one and next_version.sql as its last migration.

It lists this version as one whose program may serve its schema.

    next_version.py REPOSITORY FOLDER
"""
import pathlib
import shutil
import sys

repository, out = map(pathlib.Path, sys.argv[1:])
sys.path.insert(0, str(repository / "service" / "db"))

from embed import schema_version, write_schema  # noqa: E402

schema = out / "sql"
shutil.rmtree(schema, ignore_errors=True)
shutil.copytree(repository / "sql", schema)
shutil.copy(repository / "tests" / "process" / "next_version.sql", schema / "migrations" / "9999_next_version.sql")
with open(schema / "supported_versions.txt", "a", encoding="utf-8") as supported:
    supported.write(schema_version(repository / "sql") + "\n")
write_schema(schema, out)
