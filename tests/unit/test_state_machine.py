"""The diagram of the stages is generated from the data that the database gets."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "service" / "contract" / "documentation"), str(ROOT / "service" / "contract")]

from stages import Machine, render_machine  # noqa: E402

STAGES = ROOT / "sql" / "case" / "lifecycle.yaml"


def test_every_stage_and_move_of_the_file_is_shown():
    machine = Machine(STAGES)
    assert [code for code, _ in machine.states][::10] == ["notification", "closed"]
    page = render_machine(STAGES)
    assert page.count("<rect") == 11
    assert page.count("marker-end") == len(machine.moves) == page.count("<dt>")


def test_every_condition_of_a_move_is_described():
    machine = Machine(STAGES)
    named = {guard for *_, guards in machine.moves for guard in guards}
    assert named and named <= set(machine.conditions)
