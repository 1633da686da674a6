"""The word check (tests/word_check.py) finds the phrases of its list in prose, and nowhere else."""
import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import word_check  # noqa: E402


def found(text, name="a.md"):
    return [words.lower() for _, words, _ in word_check.findings(pathlib.Path(name), text)]


@pytest.mark.parametrize("text, name", [
    ("A case has to be open.", "a.md"), ("description: The case has to be open.", "a.yaml"),
    ("/* The case has to be open. */", "a.c"), ('problem("the case has to be open");', "a.c"),
    ("select 1; -- the case has to be open", "a.sql"), ("raise 'the case has to be open'", "a.sql"),
    ('"""The case has to be open."""', "a.py"), ("x = 1  # the case has to be open", "a.py"),
    ("say 'the case has to be open'", "run.sh"), ("# the case has to be open", "run"), ("It has to be open.", "a.8")])
def test_prose_of_every_language_is_read(text, name):
    assert found(text, name) == ["has to"]


@pytest.mark.parametrize("text, name", [
    ("`has to`", "a.md"), ("```\nhas to\n```", "a.md"), ('The guidance says "a report has to be ratified".', "a.md"),
    ("int anew = told;", "a.c"), ("select anew from told", "a.sql"), ("rule: tells_nothing_new", "a.yaml"),
    ("told = anew", "a.py"), ('f"{told} cases"', "a.py"), ("told=1", "run.sh"), ("The key fits in 16 bytes.", "a.md")])
def test_code_and_quotations_are_skipped(text, name):
    assert found(text, name) == []


@pytest.mark.parametrize("text, count", [
    ("What is missing.", 2), ("Done. Who is late waits.", 1), ("What is it?", 0), ("It reports what it did.", 0)])
def test_sentences_start_with_a_noun(text, count):
    assert len(found(text)) == count


def test_findings_have_their_line_and_a_replacement():
    text = "/* One line,\n * which begins anew. */\n"
    assert word_check.findings(pathlib.Path("a.c"), text) == [(2, "anew", "again")]


@pytest.mark.parametrize("limit, differing", [(1, [("sql", 2, 1)]), (2, []), (3, [("sql", 2, 3)])])
def test_a_limit_must_equal_the_number_of_findings(limit, differing):
    files = [("sql/a.sql", [(1, "anew", "again"), (2, "anew", "again")])]
    assert word_check.compare(files, {"sql": limit}) == differing


def test_the_longest_prefix_names_the_area():
    assert word_check.area_of("sql/queries/a.sql", {"sql": 1, "sql/queries": 1}) == "sql/queries"
    assert word_check.area_of("README.md", {"sql": 1}) == "*.md"
