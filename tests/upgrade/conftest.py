"""Two databases: one that this program made, and one that an older program made and this one migrated."""
import lzma
import pathlib
import subprocess

import pytest

from cluster import DATABASE, blank
from service import Instance, program

HERE = pathlib.Path(__file__).resolve().parent
DUMP = HERE / "f51fa40.sql.xz"  # how it was made: make_dump.py
ROLES = (HERE.parents[1] / "sql" / "roles.sql").read_text(encoding="utf-8")


def restore(cluster):
    """Brings the older register's dump into the cluster's empty database."""
    cluster.execute(ROLES)
    cluster.execute(f"drop schema register; grant create on database {DATABASE} to register_owner")
    script = b"set role register_owner;\n" + lzma.decompress(DUMP.read_bytes())
    done = subprocess.run([cluster.programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", cluster.folder,
                           "-U", "postgres", "-d", DATABASE, "-o", "/dev/null"], input=script, capture_output=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    cluster.execute(f"revoke create on database {DATABASE} from register_owner")


@pytest.fixture(scope="session")
def fresh(keys):
    """A database that this program made."""
    made = blank()
    Instance(made, keys).run("migrate")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def older():
    """The older register as it was; a test migrates it."""
    made = blank()
    restore(made)
    yield made
    made.remove()


@pytest.fixture(scope="session")
def next_program():
    """The program of a next version, with one migration more."""
    binary = pathlib.Path(f"{program()}-next")
    assert binary.exists(), f"build the target tests: {binary} is missing"
    return binary
