"""Restores the register of an older version from its dump (see make_dump.py)."""
import lzma
import pathlib
import subprocess

from cluster import DATABASE

HERE = pathlib.Path(__file__).resolve().parent
DUMP = HERE / "f51fa40.sql.xz"
ROLES = (HERE.parents[1] / "sql" / "roles.sql").read_text(encoding="utf-8")


def restore(cluster):
    """Loads the older register's dump into the cluster's empty database."""
    cluster.execute(ROLES)
    cluster.execute(f"drop schema register; grant create on database {DATABASE} to register_owner")
    script = b"set role register_owner;\n" + lzma.decompress(DUMP.read_bytes())
    done = subprocess.run([cluster.programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", cluster.folder,
                           "-U", "postgres", "-d", DATABASE, "-o", "/dev/null"], input=script, capture_output=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    cluster.execute(f"revoke create on database {DATABASE} from register_owner")
