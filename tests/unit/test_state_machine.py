"""The picture of the stages is drawn from the reference data of the database."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "service" / "contract"))

from state_machine import Machine, read_list, read_rows, render_machine  # noqa: E402

STAGES = ROOT / "sql" / "case" / "rows.sql"


def test_rows_are_read_as_postgresql_reads_them():
    sql = """insert into stage (a, b) values -- a comment, with (brackets)
        ('it''s', 'one ' || 'two'), (null::text, '{x,y}'::text[]) on conflict do nothing; ('no')"""
    assert read_rows(sql, "insert into stage") == [("it's", "one two"), (None, "{x,y}")]


def test_an_array_is_read_as_a_list():
    assert (read_list("{}"), read_list("{a,b_c}")) == ([], ["a", "b_c"])


def test_every_stage_and_move_of_the_file_is_drawn():
    machine = Machine(STAGES)
    assert [code for code, _ in machine.states][::10] == ["notification", "closed"]
    page = render_machine(STAGES)
    assert page.count("<rect") == 11
    assert page.count("marker-end") == len(machine.moves) == page.count('<th scope="row">')


def test_every_condition_of_a_move_is_described():
    machine = Machine(STAGES)
    named = {guard for *_, guards in machine.moves for guard in guards}
    assert named and named <= set(machine.conditions)
