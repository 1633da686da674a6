"""The folder for CSV files.

    in/       where files are dropped
    working/  files that a run has taken
    done/     files whose rows are all stored, each with NAME.results.csv
    failed/   files that cannot be read or have refused rows, each with NAME.results.csv
    outcomes.csv: what became of each referral

A file moves by renaming, so that it is in exactly one folder at any moment. A run continues with the files in working/.
"""
import csv
import difflib
import os
import time

import columns
import sheets
from staging import OUTCOME

HEAD = ["line", "source_system", "source_reference", "child_id", "status", "referral_id", "problem_columns", "problem"]
FOLDERS = ["in", "working", "done", "failed"]


class Unreadable(Exception):
    """A file that cannot be taken as a whole; the text is for the person who dropped it."""


def make_folders(folder):
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)


def free_name(folder, name):
    """Returns the path for a file in a folder, with a number if an earlier file has its name."""
    path, number = folder / name, 2
    while path.exists():
        path = folder / f"{name[:-len('.csv')]} ({number}).csv"
        number += 1
    return path


def take(folder, quiet_s, say):
    """Moves the dropped files that nobody writes to any more. Returns the files to work on."""
    for path in sorted((folder / "in").iterdir()):
        if path.suffix.lower() != ".csv" or path.name.startswith((".", "~")) or not path.is_file():
            continue
        if time.time() - path.stat().st_mtime < quiet_s:
            say(f"{path.name} changed in the last {quiet_s} seconds; the next run takes it")
            continue
        try:
            os.rename(path, free_name(folder / "working", path.name[:-4] + ".csv"))
        except PermissionError:
            say(f"{path.name} is open in another program; the next run takes it")
    return sorted((folder / "working").glob("*.csv"))


def check_head(head):
    for name in head:
        if name not in columns.NAMES:
            close = difflib.get_close_matches(name, columns.NAMES, 1)
            raise Unreadable(f"there is no column '{name}'" + (f"; did you mean {close[0]}?" if close else ""))
    twice = [name for name in columns.NAMES if head.count(name) > 1]
    missing = [name for name in ("source_reference", "child_id") if name not in head]
    if twice or missing:
        raise Unreadable(f"the column {twice[0]} is there twice" if twice else f"the column {missing[0]} is missing")


def load(staging, path, defaults):
    """Copies the rows of a file into the staging table, all at once, unless an earlier run did."""
    if staging.run("select 1 from TABLE where file = ? limit 1", path.name):
        return
    try:
        head, rows = sheets.read_csv(path)
    except csv.Error as reason:
        raise Unreadable(f"this is no CSV file: {reason}") from None
    check_head(head)
    if not rows:
        raise Unreadable("there is no row")
    for line, cells in rows:
        if len(cells) > len(head) and any(part.strip() for part in cells[len(head):]):
            raise Unreadable(f"line {line} has more cells than the head; put cells with a comma in quotation marks")
        row = dict(zip(head, cells))
        row["source_system"] = columns.cell(row, "source_system") or defaults.get("source_system")
        names = ["file", "line", *columns.NAMES]
        staging.run(f"insert into TABLE ({', '.join(names)}) values ({', '.join('?' * len(names))})",
                    path.name, line, *[columns.cell(row, name) or None for name in columns.NAMES])
    staging.commit()


def finish(staging, folder, path):
    """Writes the results of a file, moves it, and forgets the content of its rows. Returns a line about it."""
    found = staging.run(f"select {', '.join(HEAD)} from TABLE where file = ? order by line", path.name)
    refused = sum(1 for row in found if row[HEAD.index("status")] != "stored")
    target = free_name(folder / ("failed" if refused else "done"), path.name)
    sheets.write_csv(target.with_name(target.stem + ".results.csv"), HEAD, found)
    os.replace(path, target)
    forget(staging, path.name)
    return f"{path.name}: {len(found) - refused} rows stored, {refused} refused; see {target.stem}.results.csv in " \
           f"{target.parent.name}"


def forget(staging, name):
    """Keeps only the rows of stored referrals, without their content: their outcome is still to come."""
    content = [one for one in columns.NAMES if one not in ("source_system", "source_reference", "child_id")]
    staging.run("delete from TABLE where file = ? and status <> 'stored'", name)
    # The name becomes free for another file.
    staging.run(f"update TABLE set file = '', {', '.join(f'{one} = null' for one in content)} where file = ?", name)
    staging.commit()


def forget_moved(staging, working):
    """Completes `finish` for files that a killed run had moved already."""
    for name, in staging.run("select distinct file from TABLE where file <> ''"):
        if not (working / name).exists():
            forget(staging, name)


def reject(folder, path, reason):
    """Moves a file that cannot be read, with the reason as its results."""
    target = free_name(folder / "failed", path.name)
    sheets.write_csv(target.with_name(target.stem + ".results.csv"), HEAD,
                     [["", "", "", "", "refused", "", "", str(reason)]])
    os.replace(path, target)
    return f"{path.name}: refused, {reason}"


def write_outcomes(staging, folder, say):
    """Writes the outcomes of all referrals that came from CSV files, each once, when one changed."""
    names = ["source_system", "source_reference", "referral_id", *OUTCOME]
    rows = staging.run(f"select distinct {', '.join(names)} from TABLE where referral_id is not null "
                       "order by source_system, source_reference, referral_id")
    path = folder / "outcomes.csv"
    try:
        sheets.write_csv(path, names, rows)
    except PermissionError:
        say(f"{path} is open in another program; the next run writes it")
