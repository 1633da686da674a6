"""Tests the rule that hides cells, on every possible row of small numbers.

A row is what a release shows: cells, some of them hidden, and the total. A reader who knows the rule can list all rows
that would look the same; no hidden cell may have the same value in all of them.
"""
import collections
import itertools

import psycopg2
import pytest

THRESHOLD, SMALL_TOTAL = 5, 20


def rows_of(cells, most):
    return itertools.product(range(most + 1), repeat=cells)


def protect(cluster, rows, threshold, sensitive):
    """Returns what the rule hides of each row: {row: [hidden..., total hidden]}."""
    link = psycopg2.connect(host=str(cluster.folder), user="postgres", dbname="learning_reviews")
    with link, link.cursor() as cursor:
        cursor.execute("create temporary table asked (row bigint[])")
        cursor.execute("insert into asked select unnest(%s::text[])::bigint[]",
                       (["{" + ",".join(map(str, row)) + "}" for row in rows],))
        cursor.execute("""
            select row, statistic_protect(row, array_fill(false, array[array_length(row, 1) + 1]),
                (select sum(v) from unnest(row) v)::bigint, %s, %s, %s, true) from asked""",
                       (threshold, threshold, sensitive))
        found = {tuple(row): hidden for row, hidden in cursor.fetchall()}
    link.close()
    return found


def shown(row, hidden):
    cells = tuple(None if hide else value for value, hide in zip(row, hidden))
    return cells, None if hidden[-1] else sum(row)


@pytest.mark.parametrize("threshold, cells, most, sensitive", [
    (5, 1, 60, False), (5, 2, 44, False), (5, 2, 44, True), (5, 3, 26, False), (5, 3, 26, True), (5, 4, 12, False),
    (4, 4, 12, False), (4, 5, 8, False), (5, 5, 8, False), (10, 3, 30, True)])
def test_no_hidden_cell_can_be_derived_even_with_the_rule(instance, cluster, threshold, cells, most, sensitive):
    decided = protect(cluster, list(rows_of(cells, most)), threshold, sensitive)
    alike = collections.defaultdict(list)
    for row, hidden in decided.items():
        alike[shown(row, hidden)].append(row)
    single = []
    for (seen, total), rows in alike.items():
        # Rows whose other solutions would need numbers beyond the tested range prove nothing.
        if total is not None and total > most:
            continue
        for place in (place for place, value in enumerate(seen) if value is None):
            if len({row[place] for row in rows}) < 2:
                single.append((seen, total, rows))
    assert single == []


@pytest.mark.parametrize("sensitive", [False, True])
def test_nothing_small_is_shown(instance, cluster, sensitive):
    for row, hidden in protect(cluster, list(rows_of(3, 22)), THRESHOLD, sensitive).items():
        total = sum(row)
        for value, hide in zip((*row, total), hidden):
            assert hide or value == 0 or value >= THRESHOLD, (row, hidden)
        if 0 < total < SMALL_TOTAL and (total in row or sensitive):
            assert all(hidden[:-1]), (row, hidden)


def test_a_true_zero_is_shown_and_so_is_a_row_without_small_numbers(instance, cluster):
    decided = protect(cluster, [(0, 0, 0), (20, 30, 0), (6, 30, 40)], THRESHOLD, False)
    assert all(not any(hidden) for hidden in decided.values())


def test_no_more_is_hidden_than_necessary(instance, cluster):
    decided = protect(cluster, [(3, 9, 40), (3, 4, 40), (1, 1, 9, 40)], THRESHOLD, False)
    assert decided[3, 9, 40] == [True, True, False, False]
    assert decided[3, 4, 40] == [True, True, False, False]
    assert decided[1, 1, 9, 40] == [True, True, True, False, False]
