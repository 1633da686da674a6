#!/usr/bin/env python3
"""Connects a council's CSV files or reporting database with the Learning Review Register. README.md explains it.

    kit.py check       tests the settings, the token, the mapping sheets and the database; changes nothing
    kit.py lists       writes a mapping sheet for each code list; keeps the own codes entered there
    kit.py run         sends new rows and writes outcomes back; run it from a timer

--config FILE names the settings file (kit.ini next to this program). Needs Python 3.9 or newer; with a database also
psycopg2. Exit status: 0 done; 1 done, but rows were refused; 69 the register or the database is away and the next run
continues; 78 a setting is wrong.
"""
import argparse
import contextlib
import pathlib
import sys

import csv_files
import outcomes
import push
import sheets
import staging
from problems import Problem
from register import Register
from settings import read_settings

HERE = pathlib.Path(__file__).resolve().parent


def say(text):
    print(text, flush=True)


def push_files(rows, register, known, settings):
    """Sends the rows of each dropped file and finishes it. Returns the number of files with a refusal."""
    csv_files.make_folders(settings.csv)
    csv_files.forget_moved(rows, settings.csv / "working")
    paths, refused = [], 0
    for path in csv_files.take(settings.csv, settings.quiet_s, say):
        try:
            csv_files.load(rows, path, settings.defaults)
            paths.append(path)
        except csv_files.Unreadable as reason:
            say(csv_files.reject(settings.csv, path, reason))
            refused += 1
    if not paths and not refused:
        say(f"no new file in {settings.csv / 'in'}")
    push.push(rows, register, known, settings)
    for path in paths:
        line = csv_files.finish(rows, settings.csv, path)
        say(line)
        refused += not line.endswith("in done")
    return refused


def push_table(rows, register, known, settings):
    """Sends the rows of the database. Returns the number of rows that are refused."""
    before = rows.count("stored"), rows.count("refused")
    push.push(rows, register, known, settings)
    stored, refused = rows.count("stored"), rows.count("refused")
    say(f"{settings.table}: {stored - before[0]} rows stored, {max(0, refused - before[1])} refused now, "
        f"{refused} refused in all")
    return refused


def run(settings):
    register, known = Register(settings), sheets.read_sheets(settings.mappings)
    refused, open_now = 0, []
    with contextlib.ExitStack() as stack:
        if not stack.enter_context(staging.only_run(settings.state)):
            say(f"another run uses {settings.state}; nothing to do")
            return 0
        if settings.csv:
            open_now.append(staging.open_files(settings.state))
            stack.callback(open_now[-1].close)
            refused += push_files(open_now[-1], register, known, settings)
        if settings.connection:
            open_now.append(staging.open_database(settings))
            stack.callback(open_now[-1].close)
            refused += push_table(open_now[-1], register, known, settings)
        outcomes.follow(open_now, register, settings.state)
        if settings.csv:
            csv_files.write_outcomes(open_now[0], settings.csv, say)
    return 1 if refused else 0


def check(settings):
    me = Register(settings).get("/v1/me")
    say(f"register: {settings.url} accepts the token of {me['organisation']['name']} ({me['organisation']['code']})")
    missing = [one for one in ("referrals.write", "referrals.read", "changes.read") if one not in me["scopes"]]
    if missing:
        raise Problem(f"the token lacks the scopes {' '.join(missing)}; ask the register's operator for them")
    known = sheets.read_sheets(settings.mappings)
    say(f"mappings: {len(known)} sheets in {settings.mappings}, {sum(len(one.own) for one in known.values())} "
        "own codes")
    if settings.csv:
        csv_files.make_folders(settings.csv)
        say(f"files: drop CSV files into {settings.csv / 'in'}")
    if settings.connection:
        rows = staging.open_database(settings)
        say(f"database: {settings.table} has {rows.count('new')} new rows")
        rows.close()
    say("in order")
    return 0


def lists(settings):
    settings.mappings.mkdir(parents=True, exist_ok=True)
    for line in sheets.write_sheets(Register(settings), settings.mappings):
        say(line)
    return 0


def main():
    parser = argparse.ArgumentParser(usage="kit.py check|lists|run [--config FILE]", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "lists", "run"])
    parser.add_argument("--config", default=HERE / "kit.ini")
    words = parser.parse_args()
    try:
        return {"check": check, "lists": lists, "run": run}[words.command](read_settings(words.config))
    except Problem as reason:
        print(f"kit.py: {reason}", file=sys.stderr)
        return reason.status


if __name__ == "__main__":
    sys.exit(main())
