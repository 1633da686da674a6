#!/usr/bin/python3
"""Compiles the files of sql/ into C: embed.py SQL_FOLDER OUTPUT_FOLDER."""
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


def write_schema(folder, out):
    source = ['#include "service/db/statement.h"', "", "const schema_file schema_files[] = {"]
    for part, repeatable in (("migrations", False), ("functions", True), ("reference", True)):
        for path in sorted((folder / part).glob("*.sql")):
            source.append(f'    {{"{part}/{path.name}",\n{c_string(path.read_text())},\n'
                          f"    {str(repeatable).lower()}}},")
    source += ["};", "const size_t schema_file_count = sizeof schema_files / sizeof schema_files[0];",
               f'const char schema_roles[] =\n{c_string((folder / "roles.sql").read_text())};']
    (out / "schema_texts.c").write_text("\n".join(source) + "\n")


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    write_statements(folder / "queries", out)
    write_schema(folder, out)


if __name__ == "__main__":
    main()
