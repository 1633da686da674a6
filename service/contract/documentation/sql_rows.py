"""Reads rows that the database gets (sql/*/rows*.sql): the labels of codes, and the tables of statistics."""
import re

STRING = re.compile(r"'((?:[^']|'')*)'")


def split_fields(text, start):
    """Returns the fields of the tuple that begins before `start`, as SQL text, and the end of the tuple."""
    fields, depth, at, begin = [], 0, start, start
    while True:
        if text[at] == "'":
            at = STRING.match(text, at).end()
            continue
        if text[at] in ",)" and depth == 0:
            fields.append(text[begin:at].strip())
            begin = at + 1
            if text[at] == ")":
                return fields, at + 1
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1


def value_of(field):
    """Returns the text of a literal, also of several joined by ||, or the SQL itself."""
    pieces = STRING.findall(field)
    return "".join(pieces).replace("''", "'") if not STRING.sub("", field).strip(" \n|") else field


def read_rows(path, insert, before=None):
    """Returns the rows of a list of values: `insert` is the text before it, `before` the text after it."""
    text = path.read_text(encoding="utf-8").split(insert, 1)[1]
    text = text.split(before, 1)[0] if before else text
    text = re.sub(r"--.*|::\w+(?:\[\])?", "", text)
    rows, at = [], 0
    while found := re.compile(r"\(\s*(?=')").search(text, at):
        fields, at = split_fields(text, found.end())
        rows.append([value_of(field) for field in fields])
    return rows


def read_code_lists(folder):
    """Returns {list: {code: label}}."""
    path = folder / "reference" / "rows_code_lists.sql"
    lists = {"criteria": {row[0]: row[1] for row in read_rows(path, "insert into criterion", "on conflict")}}
    for row in read_rows(path, "with given as (", "entries(list"):
        lists.setdefault(row[0], {})[row[1]] = row[2]
    return lists


def read_statistics(folder):
    """Returns the rows of the tables with their definitions, of their breakdowns, and of their released parts."""
    path = folder / "statistics" / "rows.sql"
    return (read_rows(path, "definition) as (values", "placed as"),
            read_rows(path, "with given(table_code, code, groups) as (values", "insert into"),
            read_rows(path, "insert into statistic_released_table", "on conflict"))
