"""Computes bounds from released answers: the least and the greatest value that each hidden cell can have.

It uses everything known: every figure shown, sums of cells and totals in every table, year and release, shares, and
that counts are not negative. Linear programming finds the bounds (HiGHS).
"""
import collections
import datetime

import numpy
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

PLENTY = 1e6


class Known:
    """A system of equations and inequalities over named unknowns."""

    def __init__(self):
        self.index, self.equal, self.at_most = {}, [], []
        self.fixed = {}

    def unknown(self, name):
        return self.index.setdefault(name, len(self.index))

    def value(self, name, value):
        self.unknown(name)
        assert self.fixed.setdefault(name, value) == value, f"two different values of {name}"

    def add(self, rows, terms, right):
        rows.append(([(self.unknown(name), factor) for name, factor in terms], right))

    def sums_to(self, parts, whole):
        self.add(self.equal, [*((part, 1) for part in parts), (whole, -1)], 0)

    def no_more_than(self, part, whole):
        self.add(self.at_most, [(part, 1), (whole, -1)], 0)

    def components(self):
        """Returns groups of unknowns that are connected."""
        root = list(range(len(self.index)))

        def find(one):
            while root[one] != one:
                root[one] = one = root[root[one]]
            return one
        for terms, _ in self.equal + self.at_most:
            for other, _ in terms[1:]:
                root[find(other)] = find(terms[0][0])
        found = collections.defaultdict(list)
        for one in range(len(root)):
            found[find(one)].append(one)
        return found.values(), find

    def bounds_of(self, names):
        """Returns {name: (least, greatest)}; None for no bound."""
        wanted = {self.index[name]: name for name in names}
        groups, find = self.components()
        rows = collections.defaultdict(lambda: ([], []))
        for kind, found in enumerate((self.equal, self.at_most)):
            for terms, right in found:
                rows[find(terms[0][0])][kind].append((terms, right))
        fixed = {self.index[name]: value for name, value in self.fixed.items()}
        answers = {}
        for group in groups:
            inside = [one for one in group if one in wanted]
            if inside:
                system = self.system(group, rows[find(group[0])], fixed)
                for one in inside:
                    answers[wanted[one]] = system(one)
        return answers

    @staticmethod
    def system(group, rows, fixed):
        place = {one: number for number, one in enumerate(group)}

        def matrix(found):
            if not found:
                return None, None
            entries = [(line, place[one], factor) for line, (terms, _) in enumerate(found) for one, factor in terms]
            lines, columns, factors = zip(*entries)
            return (coo_matrix((factors, (lines, columns)), shape=(len(found), len(group))),
                    [right for _, right in found])
        equal, equal_right = matrix(rows[0])
        at_most, at_most_right = matrix(rows[1])
        limits = [(fixed[one], fixed[one]) if one in fixed else (0, None) for one in group]

        def solve(one, sign):
            aim = numpy.zeros(len(group))
            aim[place[one]] = sign
            done = linprog(aim, A_ub=at_most, b_ub=at_most_right, A_eq=equal, b_eq=equal_right, bounds=limits,
                           method="highs")
            if done.status == 3:
                return None  # no bound
            assert done.status == 0, done.message
            return sign * done.fun
        return lambda one: (solve(one, 1), solve(one, -1))


def released_answers(client, releases_too=False):
    """Returns every answer of the released view, by table and breakdown."""
    listed = client.send("listStatistics").expect(200).json
    answers = {}
    for table in listed["tables"]:
        for part in table["released"]:
            query = f"breakdown={part['breakdown']}" if part["breakdown"] else None
            whole = client.send("getStatistics", table=table["table"], query=query).expect(200)["rows"]
            answers[table["table"], part["breakdown"] or ""] = whole
            # Earlier releases return some of the same rows, never others.
            for release in listed["releases"] if releases_too else ():
                asked = f"release={release['name']}" + (f"&{query}" if query else "")
                rows = client.send("getStatistics", table=table["table"], query=asked).expect(200)["rows"]
                assert all(row in whole for row in rows)
    return answers


def add_years(text, years):
    day = datetime.date.fromisoformat(text)
    return day.replace(year=day.year + years).isoformat()


# The least range of a hidden cell: the lowest threshold, which also applies to the totals of all tables.
LEAST_RANGE = 5


def system_of(answers, parts, joint=False):
    """Builds the system of everything known. `parts`: universe, parent and period_type by table and breakdown. `joint`:
    a review of several committees counts for each of them, so committees do not add up to the whole."""
    known, hidden = Known(), {}
    for key, rows in answers.items():
        part = parts[key]
        by_period = collections.defaultdict(list)
        for row in rows:
            by_period[row["period_from"]].append(row)
        for period, those in by_period.items():
            add_row(known, hidden, key, part, period, those, joint)
    # Three-year periods are the sum of their years; a year that was never released is unknown.
    for (kind, universe, period) in [name for name in known.index if name[0] == "total"]:
        if universe[1] == "three_years":
            years = [("total", (universe[0], "financial_year"), add_years(period, n)) for n in range(3)]
            known.sums_to(years, (kind, universe, period))
    return known, hidden


def add_row(known, hidden, key, part, period, rows, joint):
    total = ("total", (part["universe"], part["period_type"]), period)
    if joint and key[1] == "committee":
        whole, total = total, ("cell", key, period, "all committees")
        known.no_more_than(whole, total)
    if part["parent"]:
        total = ("cell", (part["universe"], ""), period, part["parent"])
    names, additive = [], True
    for row in rows:
        unit = row["group"] or row["category"]
        if row["figure"] == "share":
            continue
        if row["figure"] not in ("count", "reviews"):
            continue
        additive = additive and row["figure"] != "reviews"
        name = total if unit is None else ("cell", key, period, unit)
        known.unknown(name)
        if unit is not None:
            names.append(name)
        if row["status"] == "released":
            known.value(name, row["value"])
        else:
            assert row["status"] == "confidential"
            hidden[name] = LEAST_RANGE
    if additive and names:
        known.sums_to(names, total)
    for name in () if additive else names:
        known.no_more_than(name, total)
    if key == ("family_involvement", ""):
        known.no_more_than(("cell", key, period, "child"), ("cell", key, period, "family"))
    for row in rows:
        if row["figure"] == "share" and row["status"] == "released" and total in known.fixed:
            # A share reveals the count, as far as rounding allows.
            if key[0] == "days_to_decision":
                continue  # computed from two categories that are shown themselves (test_releases.py)
            unit = row["category"] or {"notices_on_time": "on_time", "actions_on_time": "on_time",
                                       "info_return_on_time": "on_time", "impact_reviewed": "reviewed"}.get(key[0])
            known.value(("cell", key, period, unit), round(row["value"] * known.fixed[total]))


def exposed(known, hidden):
    """Returns hidden cells whose range is too narrow: {name: (least, greatest)}."""
    bounds = known.bounds_of(hidden)
    return {name: (least, greatest) for name, (least, greatest) in bounds.items()
            if greatest is not None and greatest - least < hidden[name] - 1e-6}
