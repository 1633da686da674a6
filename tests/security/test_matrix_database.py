"""Each cell of the matrix (matrix.py) with the database alone: the program does not check scopes itself."""
import pytest

from client import ALL_SCOPES
from matrix import ROLES, run_all
from service import Instance, program


@pytest.fixture(scope="module")
def database_only(cluster, keys, instance):
    binary = program("LR_BINARY_DATABASE_ONLY", "learning-reviews-database-only")
    if not binary.exists():
        pytest.skip(f"{binary} is not built")
    made = Instance(cluster, keys, binary, LR_REQUEST_SECONDS=600, LR_IDLE_SECONDS=600)
    yield made.start()
    assert made.stop() == 0


@pytest.mark.parametrize("name", ROLES)
def test_every_cell_is_the_same_with_the_database_alone(caller, worlds, database_only, name):
    """Without the service's scope checks: with all scopes the owner decides; without any scope nothing is shown."""
    role = ROLES[name]
    for scopes in (ALL_SCOPES, "none.at.all"):
        client = caller(role.organisation, role.client, scopes).at(database_only.url)
        cells = run_all(client, role, worlds, scopes, False)
        assert not cells.unexpected, "\n".join(cells.unexpected)
        print(f"\n{name}: {cells.count} cells, 0 unexpected")
