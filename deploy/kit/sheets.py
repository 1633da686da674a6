"""CSV files as Excel reads and writes them, and the mapping sheets: the council's own codes and those of the register.

A sheet has a row for each code of the register. The council enters its own codes in `own_codes`, separated by
semicolons. Nobody edits the other columns: `kit.py lists` writes them again and keeps `own_codes`.
"""
import csv
import difflib
import io
import os

import columns
from problems import SettingProblem

HEAD = ["own_codes", "code", "label", "definition"]


def decoded(data):
    """Returns the text of a CSV file: UTF-8 or UTF-16 with a mark at the start, UTF-8 without, or else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def read_csv(path):
    """Returns the head, in small letters with underscores, and the numbered rows (line, cells) that are not empty."""
    text = decoded(path.read_bytes())
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    head = [name.strip().lower().replace(" ", "_") for name in next(reader, [])]
    rows = []
    for cells in reader:
        if any(part.strip() for part in cells):
            rows.append((reader.line_num, cells))
    return head, rows


def write_csv(path, head, rows):
    """Replaces the file at once, with the mark that lets Excel read UTF-8."""
    part = path.with_name(path.name + ".part")
    with open(part, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


class Sheet:
    """One code list: codes maps each code, and each of the council's own codes in small letters, to a code."""

    def __init__(self, path, entries):
        self.path, self.codes, self.own = path, [entry[1] for entry in entries], {}
        for own_codes, code, *_ in entries:
            for own in filter(None, (part.strip().lower() for part in own_codes.split(";"))):
                if self.own.setdefault(own, code) != code:
                    raise SettingProblem(str(path), own, f"is an own code of {self.own[own]} and of {code}; "
                                         "leave it in one row")

    def code_of(self, text):
        if text.lower() in self.own:
            return self.own[text.lower()]
        if text in self.codes:
            return text
        near = difflib.get_close_matches(text.lower(), self.codes, 1)
        advice = f"; did you mean {near[0]}?" if near else ""
        raise columns.Refused(f"'{text}' is no code; enter it in own_codes of {self.path.name}{advice}")


def read_entries(path):
    """Returns the rows of a sheet as [own codes, code, label, definition]."""
    head, rows = read_csv(path)
    if not {"own_codes", "code"} <= set(head):
        raise SettingProblem(str(path), ",".join(head), "must have the columns own_codes and code; rename the file and "
                             "run `kit.py lists`")
    return [[dict(zip(head, cells)).get(name, "").strip() for name in HEAD] for _, cells in rows]


def read_sheets(folder):
    """Returns all sheets by name."""
    sheets = {}
    for name in columns.SHEETS:
        path = folder / f"{name}.csv"
        if not path.exists():
            raise SettingProblem("[folders] mappings", str(folder), f"has no {path.name}; run `kit.py lists`")
        sheets[name] = Sheet(path, read_entries(path))
    return sheets


def reference_entries(register, name):
    """Returns (code, label, definition) of each code that may be used, from the register."""
    if name in columns.OWN_LISTS:
        return columns.OWN_LISTS[name]
    if name in ("committees", "local-authorities", "organisations"):
        return [(item["code"], item["name"], "") for item in register.get(f"/v1/reference/{name}")["items"]]
    entries = register.get(f"/v1/reference/code-lists/{name}")["entries"]
    return [(item["code"], item["label"], item["description"] or "") for item in entries if not item["retired"]]


def write_sheets(register, folder):
    """Writes each sheet with the register's codes and the own codes entered so far. Returns a line for each sheet."""
    said = []
    for name in columns.SHEETS:
        path = folder / f"{name}.csv"
        own = {code: own for own, code, *_ in read_entries(path)} if path.exists() else {}
        entries = reference_entries(register, name)
        lost = [code for code, mapped in own.items() if mapped and code not in [entry[0] for entry in entries]]
        write_csv(path, HEAD, [[own.get(code, ""), code, label, definition] for code, label, definition in entries])
        said.append(f"{path.name}: {len(entries)} codes, {sum(1 for mapped in own.values() if mapped)} with own codes"
                    + "".join(f"; {code} is no longer in use, its own codes {own[code]} need another row"
                              for code in lost))
    return said
