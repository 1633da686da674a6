"""Two databases: one that this program made, and one that an older program made and this one migrates."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from cluster import blank  # noqa: E402
from older import restore  # noqa: E402
from service import Instance, program  # noqa: E402


@pytest.fixture(scope="session")
def fresh(keys):
    """A database that this program made."""
    made = blank()
    Instance(made, keys).run("migrate")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def older():
    """The older register, not yet migrated; a test migrates it."""
    made = blank()
    restore(made)
    yield made
    made.remove()


@pytest.fixture(scope="session")
def next_program():
    """The program of a next version, with one more migration."""
    binary = pathlib.Path(f"{program()}-next")
    assert binary.exists(), f"build the target tests: {binary} is missing"
    return binary
