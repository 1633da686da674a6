"""Each cell of the matrix (matrix.py) with the program as it is."""
import pytest

from client import ALL_SCOPES
from matrix import ROLES, run_all


@pytest.mark.parametrize("name", ROLES)
def test_every_cell_of_a_role_is_as_the_contract_says(caller, worlds, name):
    """With the usual scopes of such a client, and with all scopes, as in a token that is too generous."""
    role = ROLES[name]
    for scopes in {role.scopes, ALL_SCOPES}:
        cells = run_all(caller(role.organisation, role.client, scopes), role, worlds, scopes, True)
        assert not cells.unexpected, "\n".join(cells.unexpected)
        print(f"\n{name}: {cells.count} cells, 0 unexpected")
