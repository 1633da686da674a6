"""The build writes the statement of a list from its declaration, and refuses one that no statement can come from."""
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "service" / "db"))
import lists  # noqa: E402

TABLES = lists.Tables(["""create table thing (
    id uuid primary key,
    owner text not null,
    status text not null,
    due_on date not null,           -- (owner, due_on) is no index
    changed_at timestamptz not null
);
create index on thing (owner, due_on, id);
create index on thing (owner, changed_at desc, id desc);
create index on thing (owner, status, due_on, id);
create index on thing (owner, due_on, id) where status = 'open';
"""])
DECLARED = """-- A comment.
-- row: thing t: thing_document(t)
-- sort due_on: t.due_on, t.id
-- sort -changed_at: t.changed_at desc, t.id desc
-- part owner: t.owner = claim('organisation') and $all is null
-- few: t.id = any (granted())
--     and $all = 'true'
-- filter status: t.status = any ($[])
--   index (owner, status, due_on, id)
-- filter late=true: t.due_on < today() and t.status = 'open'
--   index (owner, due_on, id) where status = 'open'
--   range due_on: t.due_on < today()
-- filter late=false: t.due_on >= today()
--   range due_on"""


def declare(text):
    return lists.List(text.splitlines(), TABLES)


def test_a_list_declares_its_parameters_with_their_values():
    assert declare(DECLARED).parameters() == {
        "all": None, "status": "several", "late": ["false", "true"], "sort": ["due_on", "-changed_at"]}


def test_the_statement_has_the_three_parameters_of_a_page():
    for _, _, text in declare(DECLARED).variants():
        assert all(f"${number}::" in text for number in (1, 2, 3)) and "$4" not in text
        assert "t.id = any (granted()) and ($1::jsonb ->> 'all') = 'true'" in text


def test_an_index_serves_the_order_that_it_ends_with_forwards_and_backwards():
    made = declare(DECLARED)
    due, changed = made.sorts
    assert [one.name for one in made.served("owner", due)] == ["status", "late"]
    assert made.served("owner", changed) == []
    assert [other for other, _ in made.other_ways("owner", changed)] == [due] and made.other_ways("owner", due) == []
    backwards = declare(DECLARED.replace("t.due_on, t.id", "t.due_on desc, t.id desc"))
    assert [one.name for one in backwards.served("owner", backwards.sorts[0])] == ["status", "late"]


def test_a_sort_order_has_a_text_and_one_for_several_values_if_an_index_serves_the_filter():
    made = declare(DECLARED)
    variants = made.variants()
    assert [(sort, several) for sort, several, _ in variants] == [
        ("due_on", True), ("due_on", False), ("-changed_at", True), ("-changed_at", False)]
    status = "($1::jsonb ->> 'status')"
    split = f"case when ({status} is not null and strpos({status}, ',') > 0) then t.status end"
    assert f"order by {split}, t.due_on, t.id" in lists.text_for(variants, {"status": "open,ended"})
    for request in ({}, {"status": "open"}, {"status": "open", "sort": "-changed_at"}):
        assert "unnest" not in lists.text_for(variants, request)
    backwards = declare(DECLARED.replace("t.due_on, t.id", "t.due_on desc, t.id desc")).variants()
    assert f"order by {split} desc, t.due_on desc, t.id desc" in lists.text_for(backwards, {"status": "open,ended"})


def test_a_filter_without_an_index_takes_several_values_without_another_text():
    variants = declare(DECLARED.replace("--   index (owner, status, due_on, id)\n", "")).variants()
    assert [(sort, several) for sort, several, _ in variants] == [("due_on", False), ("-changed_at", False)]
    assert "(r.t).status = any (string_to_array(($1::jsonb ->> 'status'), ','))" in variants[0][2]


@pytest.mark.parametrize("old, new, message", [
    ("-- row: thing t: thing_document(t)\n", "", "declare `row:`, `sort …:` and `part …:` or `few:`"),
    ("row: thing t: thing_document(t)", "row: thing: document", "not `row: table alias: document`"),
    ("t.due_on, t.id", "t.due_on + 1, t.id", "sort due_on: not `t.column, …` or `t.column desc, …`"),
    ("t.changed_at desc, t.id desc", "t.changed_at desc, t.id", "sort -changed_at: not `t.column, …`"),
    ("-- part owner", "-- part status", "sort due_on needs an index on thing (status, due_on, id)"),
    ("index (owner, status, due_on, id)", "index (status, due_on, id)", "filter status: no index on thing (status, due_on"),
    ("where status = 'open'", "where status = 'ended'", "filter late: no index on thing (owner, due_on, id) where status ="),
    ("range due_on", "range due", "filter late: a range of due, which is no sort order"),
    ("-- A comment.", "select 1", "a list has declarations only: select 1"),
    ("-- A comment.", "--   range due_on", "`index` and `range` belong below a filter"),
    ("-- A comment.", "--   ranges due_on", "not `index (column, …)` or `range order`: ranges due_on"),
    ("t.due_on, t.id\n", "t.due_on, t.ident\n", "sort due_on: thing has no column ident"),
])
def test_a_faulty_declaration_is_refused_with_its_fault(old, new, message):
    assert old in DECLARED
    with pytest.raises(lists.Wrong) as refused:
        declare(DECLARED.replace(old, new))
    assert message in str(refused.value)
