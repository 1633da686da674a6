#!/usr/bin/python3
"""Compiles the files of sql/ into C: embed.py SQL_FOLDER OUTPUT_FOLDER."""
import hashlib
import pathlib
import re
import sys

NAME = re.compile(r"^-- name: ([a-z_]+)((?: unprepared| standby)*)$")


def c_string(text):
    """The text as a C string literal, a line of source a line of text."""
    lines = text.split("\n")
    quoted = []
    for index, line in enumerate(lines):
        line = line.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
        quoted.append('    "' + line + ("\\n" if index < len(lines) - 1 else "") + '"')
    return "\n".join(quoted)


def read_statements(folder):
    """Yields (name, flags, text) of each statement; a name used twice or a stray line ends the build."""
    seen = set()
    for path in sorted(folder.glob("*.sql")):
        name, flags, lines = None, [], []
        for line in path.read_text().splitlines() + ["-- name: end_of_file"]:
            match = NAME.match(line)
            if not match:
                if name is not None and not line.startswith("--"):
                    lines.append(line)
                elif name is None and line.strip() and not line.startswith("--"):
                    sys.exit(f"{path}: a line before the first `-- name:`: {line}")
                continue
            if name is not None:
                if name in seen:
                    sys.exit(f"{path}: the statement {name} stands twice")
                seen.add(name)
                yield name, flags, "\n".join(lines).strip().rstrip(";")
            name, flags, lines = match.group(1), match.group(2).split(), []


def c_bool(value):
    return str(value).lower()


def parameter_count(text):
    return max((int(number) for number in re.findall(r"\$([0-9]+)", text)), default=0)


def write_statements(folder, out):
    statements = sorted(read_statements(folder))
    names = ["#pragma once", "", "typedef struct statement statement;", ""]
    names += [f"extern const statement *const statement_{name};" for name, _, _ in statements]
    (out / "statement_names.h").write_text("\n".join(names) + "\n")
    source = ['#include "service/db/statement.h"', "", "const statement statements[] = {"]
    for name, flags, text in statements:
        source.append(f'    {{"{name}",\n{c_string(text)},\n'
                      f"    {parameter_count(text)}, {c_bool('unprepared' in flags)}, {c_bool('standby' in flags)}}},")
    source += ["};", "const size_t statement_count = sizeof statements / sizeof statements[0];", ""]
    source += [f"const statement *const statement_{name} = &statements[{index}];"
               for index, (name, _, _) in enumerate(statements)]
    (out / "statement_texts.c").write_text("\n".join(source) + "\n")


# What ends a statement, and what a semicolon may stand in without ending it.
TOKEN = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$|;", re.DOTALL)
DEFINITION = re.compile(r"create( or replace)? (function|procedure|aggregate)\b")


def split_statements(text):
    """Yields the statements of a file, each with the comments in front of it."""
    start = 0
    for token in TOKEN.finditer(text):
        if token[0] == ";":
            yield text[start:token.end()]
            start = token.end()
    yield text[start:]


def split_code(text):
    """What the file defines (functions and types), and what it does with them (triggers, policies, privileges)."""
    parts = {True: [], False: []}
    for statement in split_statements(text):
        words = re.sub(r"--[^\n]*\n", "", statement).strip()
        if words:
            defines = DEFINITION.match(words) or words.startswith("do $$") and "create type" in words
            parts[bool(defines)].append(statement)
    return "".join(parts[True]), "".join(parts[False]).strip()


KINDS = {"migrations": "SCHEMA_MIGRATION", "functions": "SCHEMA_CODE", "reference": "SCHEMA_DATA"}


def schema_files(folder):
    """The files of the schema in the order in which they are applied: (part, path, text, checksum)."""
    for part in KINDS:
        for path in sorted((folder / part).glob("*.sql")):
            text = path.read_text()
            yield part, f"{part}/{path.name}", text, hashlib.sha256(text.encode()).hexdigest()


def schema_version(folder):
    """Names the schema: the number of its last migration and a digest of all its files, as in 0160-3fa9c2d1b7e0."""
    files = list(schema_files(folder))
    last = max(path for part, path, _, _ in files if part == "migrations")
    digest = hashlib.sha256("".join(f"{checksum} {path}\n" for _, path, _, checksum in files).encode())
    return re.search(r"/(\d+)_", last)[1] + "-" + digest.hexdigest()[:12]


def supported_versions(folder):
    """The versions of sql/supported_versions.txt, a line each; `#` begins a comment."""
    lines = (folder / "supported_versions.txt").read_text().splitlines()
    versions = [version for version in (line.partition("#")[0].strip() for line in lines) if version]
    for version in versions:
        if not re.fullmatch(r"\d+-[0-9a-f]{12}", version):
            sys.exit(f"{folder}/supported_versions.txt: not a version of the schema: {version}")
    return versions


def c_array(words):
    """The words, none of which needs quotes, as a PostgreSQL array in a C string literal."""
    return '"{' + '"\n    "'.join(f"{word}," for word in words).removesuffix(",") + '}"'


def write_schema(folder, out):
    paths = [(part, path) for part, path, _, _ in schema_files(folder)]
    source = ['#include "service/db/statement.h"', "", "const schema_file schema_files[] = {"]
    for part, path, text, checksum in schema_files(folder):
        text, wiring = split_code(text) if part == "functions" else (text, "")
        source.append(f'    {{"{path}",\n{c_string(text)},\n{c_string(wiring)},\n    "{checksum}", {KINDS[part]}}},')
    source += ["};", "const size_t schema_file_count = sizeof schema_files / sizeof schema_files[0];",
               f'const char schema_roles[] =\n{c_string((folder / "roles.sql").read_text())};',
               f'const char schema_version[] = "{schema_version(folder)}";',
               f"const char schema_paths[] = {c_array(path for _, path in paths)};",
               f"const char schema_migrations[] = {c_array(path for part, path in paths if part == 'migrations')};",
               f"const char schema_supported[] = {c_array(supported_versions(folder))};"]
    (out / "schema_texts.c").write_text("\n".join(source) + "\n")


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    write_statements(folder / "queries", out)
    write_schema(folder, out)


if __name__ == "__main__":
    main()
