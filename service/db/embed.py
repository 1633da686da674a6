#!/usr/bin/python3
"""Compiles the files of sql/ into C: embed.py SQL_FOLDER OUTPUT_FOLDER."""
import hashlib
import json
import pathlib
import re
import sys

import yaml

sys.dont_write_bytecode = True  # the build leaves nothing in the source folder
sys.path.append(str(pathlib.Path(__file__).parent))
import lists  # noqa: E402

NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)((?: unprepared| standby| page)*)$")

# The filters and sort orders of a list whose statement is not written by lists.py.
ACCEPTS = "-- accepts: "


def c_string(text):
    """The text as a C string literal, a line of source a line of text."""
    lines = text.split("\n")
    quoted = []
    for index, line in enumerate(lines):
        line = line.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
        quoted.append('    "' + line + ("\\n" if index < len(lines) - 1 else "") + '"')
    return "\n".join(quoted)


def read_statements(folder):
    """Yields (name, flags, text) of each statement, and of a list its first text. A name that is used twice or a stray
    line ends the build."""
    for name, flags, text, _ in read_declared(folder):
        yield name, flags, text if isinstance(text, str) else lists.text_for(text, {})


def read_declared(folder):
    """Yields (name, flags, text, parameters) of each statement. Of a list, `text` is what List.variants returns, and
    `parameters` are those that it declares."""
    seen = set()
    tables = lists.Tables(text for _, path, text in schema_files(folder) if path.startswith("migrations/"))
    for path, text in files_of(folder, "queries"):
        name, flags, lines = None, [], []
        for line in text.splitlines() + ["-- name: end_of_file"]:
            match = NAME.match(line)
            if not match:
                if line.startswith("-- name:"):
                    sys.exit(f"{path}: not `-- name: get_thing [unprepared] [standby] [page]`: {line}")
                if name is not None:
                    lines.append(line)
                elif line.strip() and not line.startswith("--"):
                    sys.exit(f"{path}: a line before the first `-- name:`: {line}")
                continue
            if name is not None:
                if name in seen:
                    sys.exit(f"{path}: the statement {name} stands twice")
                seen.add(name)
                yield name, flags, *statement(path, name, flags, lines, tables)
            name, flags, lines = match.group(1), match.group(2).split(), []


def statement(path, name, flags, lines, tables):
    """Returns the text of the statement, or those of a list with the parameters that it declares."""
    if "page" in flags:
        try:
            declared = lists.List(lines, tables)
        except lists.Wrong as wrong:
            sys.exit(f"{path}: {name}: {wrong}")
        return declared.variants(), declared.parameters()
    accepts = next((line for line in lines if line.startswith(ACCEPTS)), None)
    parameters = accepts and {word: values.split("|") if values else None for word, _, values in (
        each.partition("=") for each in accepts.removeprefix(ACCEPTS).split(", "))}
    return "\n".join(line for line in lines if not line.startswith("--")).strip().rstrip(";"), parameters


def c_bool(value):
    return str(value).lower()


def parameter_count(text):
    return max((int(number) for number in re.findall(r"\$([0-9]+)", text)), default=0)


def initializers(name, flags, text):
    """Yields a statement in C; for a list, each of its texts."""
    variants = [(None, False, text)] if isinstance(text, str) else text
    for place, (order, several, one) in enumerate(variants, 1):
        unprepared = "unprepared" in flags or "page" in flags
        fields = [str(parameter_count(one)), c_bool(unprepared), c_bool("standby" in flags),
                  f'"{order}"' if order else "NULL", c_bool(several), c_bool(place < len(variants))]
        yield f'    {{"{name}",\n{c_string(one)},\n    {", ".join(fields)}}},'


def write_statements(folder, out):
    statements = sorted(read_declared(folder), key=lambda each: each[0])
    names = ["#pragma once", "", "typedef struct statement statement;", ""]
    names += [f"extern const statement *const statement_{name};" for name, *_ in statements]
    (out / "statement_names.h").write_text("\n".join(names) + "\n")
    source = ['#include "service/db/statement.h"', "", "const statement statements[] = {"]
    places = {}
    for name, flags, text, _ in statements:
        places[name] = sum(line.startswith("    {") for line in source)
        source += initializers(name, flags, text)
    source += ["};", "const size_t statement_count = sizeof statements / sizeof statements[0];", ""]
    source += [f"const statement *const statement_{name} = &statements[{place}];" for name, place in places.items()]
    # For service/contract/bind.py: how many parameters each statement has, and the filters and orders of the lists.
    counts = {name: parameter_count(text if isinstance(text, str) else text[0][2]) for name, _, text, _ in statements}
    declared = {name: parameters for name, _, _, parameters in statements if parameters is not None}
    (out / "statements.json").write_text(json.dumps({"parameters": counts, "lists": declared}, indent=1) + "\n")
    (out / "statement_texts.c").write_text("\n".join(source) + "\n")


# The end of a statement, and the tokens in which a semicolon does not end it.
TOKEN = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$|;", re.DOTALL)
FUNCTION = re.compile(r"create(?: or replace)? (?:function|aggregate) (\w+)")


def split_statements(text):
    """Yields the statements of a file, each with the comments in front of it."""
    start = 0
    for token in TOKEN.finditer(text):
        if token[0] == ";":
            yield text[start:token.end()]
            start = token.end()
    yield text[start:]


def split_code(path, text):
    """The definitions of a file (functions with their comments, types), and its other statements (triggers, policies,
    privileges)."""
    definitions, wiring = [], []
    for statement in split_statements(text):
        words = re.sub(r"--[^\n]*\n", "", statement).strip()
        function = FUNCTION.match(words)
        if function:
            definitions.append(f"{statement}\n{describe(path, function[1], statement)}")
        elif words:
            (definitions if words.startswith("create type") else wiring).append(statement)
    return "".join(definitions), "".join(wiring).strip()


def describe(path, name, statement):
    """The comment on a function in the database: the lines of comment directly above it."""
    above = re.search(r"((?:^--[^\n]*\n)+)create", statement, re.MULTILINE)
    if not above:
        sys.exit(f"{path}: the function {name} has no comment: write above it what it does")
    lines = " ".join(line.removeprefix("--").strip() for line in above[1].splitlines())
    return "comment on function {} is '{}';".format(name, lines.replace("'", "''"))


# --- the files of the schema: the name of a file says what it is ---------------------------------------------
KINDS = (
    ("tables", re.compile(r"tables\.sql")),               # the baseline
    ("queries", re.compile(r"(\w+_)?queries\.sql")),     # statements that the program prepares
    ("attached", re.compile(r"(triggers|access)\.sql")),  # code that belongs to the tables
    ("rows", re.compile(r"rows(_\w+)?\.sql|lifecycle\.yaml")),  # rows that every register has
    ("code", re.compile(r"\w+\.sql")),                   # code that the program calls
)
BASELINE = "migrations/0200_baseline"
C_KINDS = {"migrations": "SCHEMA_MIGRATION", "attached": "SCHEMA_ATTACHED", "rows": "SCHEMA_ROWS"}


def subjects(folder):
    """The subjects of sql/order; each is a directory, and each directory but a few is a subject."""
    lines = (folder / "order").read_text().splitlines()
    listed = [word for word in (line.partition("#")[0].strip() for line in lines) if word]
    present = {path.name for path in folder.iterdir() if path.is_dir()} - {"migrations", "upgrade", "demo"}
    if set(listed) != present or len(listed) != len(present):
        sys.exit(f"{folder}/order: list each directory once: {', '.join(sorted(present ^ set(listed)))}")
    return listed


def files_of(folder, kind):
    """Yields (path below sql/, text) of the files of a kind, in the order of sql/order."""
    for subject in subjects(folder):
        for path in sorted([*(folder / subject).glob("*.sql"), *(folder / subject).glob("*.yaml")]):
            if next(name for name, pattern in KINDS if pattern.fullmatch(path.name)) == kind:
                yield f"{subject}/{path.name}", stage_rows(path) if path.suffix == ".yaml" else path.read_text()


def replace_rows(table, key, rows):
    """SQL that makes the rows of a table these ones, as far as they are of the same edition of a guidance."""
    columns = ", ".join(rows[0])
    ours, theirs = (", ".join(f"{one}.{column}" for column in key) for one in "gt")
    new = ", ".join(f"excluded.{column}" for column in rows[0])
    text = json.dumps(rows, ensure_ascii=False).replace("'", "''")
    return f"""
        with given as (select * from jsonb_populate_recordset(null::{table}, '{text}')),
        gone as (delete from {table} t
            where exists (select from given g where (g.guidance, g.edition) = (t.guidance, t.edition))
                and not exists (select from given g where ({ours}) = ({theirs})))
        insert into {table} ({columns}) select {columns} from given
        on conflict ({', '.join(key)}) do update set ({columns}) = row ({new});
    """


def stage_rows(path):
    """The rows of sql/case/lifecycle.yaml as SQL."""
    data = yaml.safe_load(path.read_text())
    edition = {"guidance": data["guidance"], "edition": data["edition"]}
    stages = [{"position": place, "terminal": False, **edition, **one} for place, one in enumerate(data["stages"], 1)]
    guards = [{**edition, **one} for one in data["guards"]]
    moves = [{**edition, "from_stage": one["from"], "to_stage": one["to"], "way": one["way"], "label": one["label"],
              "closure": one.get("closure"), "reasons": one.get("reasons", []), "guards": one.get("guards", [])}
             for one in data["moves"]]
    return (replace_rows("stage", ["code"], stages) +
            replace_rows("stage_guard", ["guidance", "edition", "code"], guards) +
            replace_rows("stage_transition", ["guidance", "edition", "from_stage", "to_stage", "way"], moves))


def checksum(text):
    return hashlib.sha256(text.encode()).hexdigest()


def schema_files(folder):
    """The files that `migrate` applies to the schema register, in order: (kind, path, text)."""
    yield "migrations", BASELINE, "\n".join(text for _, text in files_of(folder, "tables"))
    for path in sorted((folder / "migrations").glob("*.sql")):
        yield "migrations", f"migrations/{path.name}", path.read_text()
    for kind in ("attached", "rows"):
        for path, text in files_of(folder, kind):
            yield kind, path, text


def schema_version(folder):
    """Names the schema: the number of its last migration and a digest of all its files, as in 0160-3fa9c2d1b7e0."""
    files = list(schema_files(folder))
    last = max(path for kind, path, _ in files if kind == "migrations")
    digest = checksum("".join(f"{checksum(text)} {path}\n" for _, path, text in files))
    return re.search(r"/(\d+)_", last)[1] + "-" + digest[:12]


def code_version(folder):
    """Names the schema that holds the code: a digest of its texts."""
    return "register_" + checksum("".join(f"{path}\n{text}" for path, text in files_of(folder, "code")))[:12]


def c_array(words):
    """The words, none of which needs quotes, as a PostgreSQL array in a C string literal."""
    return '"{' + '"\n    "'.join(f"{word}," for word in words).removesuffix(",") + '}"'


def refuse_twice(folder):
    """A function's name is its identity: a second one, or one in both schemas, would make calls ambiguous."""
    seen = {}
    for kind in ("attached", "code"):
        for path, text in files_of(folder, kind):
            for name in re.findall(rf"^{FUNCTION.pattern}", text, re.MULTILINE):
                if name in seen:
                    sys.exit(f"{path}: the function {name} is defined in {seen[name]} as well")
                seen[name] = path


def write_schema(folder, out):
    refuse_twice(folder)
    files = list(schema_files(folder))
    source = ['#include "service/db/statement.h"', "", "const schema_file schema_files[] = {"]
    for kind, path, text in files:
        definitions, wiring = split_code(path, text) if kind == "attached" else (text, "")
        source.append(f'    {{"{path}",\n{c_string(definitions)},\n{c_string(wiring)},\n    "{checksum(text)}", '
                      f"{C_KINDS[kind]}}},")
    source += ["};", "const size_t schema_file_count = sizeof schema_files / sizeof schema_files[0];",
               "", "const code_file code_files[] = {"]
    for path, text in files_of(folder, "code"):
        definitions, wiring = split_code(path, text)
        source.append(f'    {{"{path}",\n{c_string(definitions)},\n{c_string(wiring)}}},')
    source += ["};", "const size_t code_file_count = sizeof code_files / sizeof code_files[0];",
               "", "const schema_upgrade schema_upgrades[] = {"]
    source += [f'    {{"migrations/{path.name}",\n{c_string(path.read_text())}}},'
               for path in sorted((folder / "upgrade").glob("*.sql"))]
    source += ["};", "const size_t schema_upgrade_count = sizeof schema_upgrades / sizeof schema_upgrades[0];",
               f'const char schema_roles[] =\n{c_string((folder / "roles.sql").read_text())};',
               f'const char schema_baseline[] = "{BASELINE}";',
               f'const char schema_version[] = "{schema_version(folder)}";',
               f'const char code_version[] = "{code_version(folder)}";',
               f"const char schema_paths[] = {c_array(path for _, path, _ in files)};",
               f"const char schema_migrations[] = {c_array(path for kind, path, _ in files if kind == 'migrations')};"]
    (out / "schema_texts.c").write_text("\n".join(source) + "\n")


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    write_statements(folder, out)
    write_schema(folder, out)


if __name__ == "__main__":
    main()
