#!/usr/bin/python3
"""Makes the dump with which the upgrade tests start: the register of an older version, with its demonstration data.

    git worktree add ../older f51fa40
    cmake -S ../older -B ../older/build -G Ninja && cmake --build ../older/build --target learning-reviews
    tests/upgrade/make_dump.py ../older tests/upgrade/f51fa40.sql.xz

The older program migrates an empty database and serves it; the script pushes and accepts one referral, loads the older
demonstration data (and keeps a tenth of its cases, so that the dump is small), and pg_dump writes everything as plain
SQL. The dump does not change afterwards: make it again only for another older version.
"""
import lzma
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "integration"), str(HERE.parent / "contract")]

from client import AGENCY_SCOPES, ALL_SCOPES, Client  # noqa: E402
from cluster import DATABASE, blank  # noqa: E402
from scenarios import make_accepted_referral  # noqa: E402
from service import Instance, Secrets  # noqa: E402


# As retention does it: the referrals of the case, then the case with its parts.
KEEP_A_TENTH = """
    set search_path = register;
    create temporary table gone as
        select id from (select id, row_number() over (order by id) as n from review_case) c where n % 10 <> 0;
    delete from referral where case_id in (select id from gone)
        or case_id is null and id not in (select id from referral where case_id is null order by id limit 50);
    delete from review_case where id in (select id from gone);
    delete from feed_event where kind = 'removed';
"""


def run(cluster, program, *words, given=None):
    return subprocess.run([cluster.programs / program, "-h", cluster.folder, "-U", "postgres", "-d", DATABASE, *words],
                          input=given, stdout=subprocess.PIPE, check=True, timeout=300).stdout


def fill(cluster, keys, older):
    """Makes an older register: rows of its service, then its demonstration data."""
    instance = Instance(cluster, keys, older / "build" / "learning-reviews")
    instance.run("migrate")
    script = "".join(path.read_text() for path in sorted((older / "sql" / "demo").glob("*.sql")))
    run(cluster, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", given=script.encode())
    cluster.execute(KEEP_A_TENTH)
    instance.start()
    try:
        def caller(organisation, client, scope):
            token = instance.run("token", "--organisation", organisation, "--client", client, "--scope", scope)
            return Client(instance.url, token, None)
        make_accepted_referral(caller("LA-S12000049", "casework", AGENCY_SCOPES),
                               caller("CPC-GLA", "committee-system", ALL_SCOPES))
    finally:
        instance.stop()


def main(older, target):
    cluster, keys = blank(), Secrets()
    try:
        cluster.folder.chmod(0o755)
        fill(cluster, keys, older)
        text = run(cluster, "pg_dump", "--no-owner", "--format=plain")
    finally:
        cluster.remove()
        keys.remove()
    # psql before 15.14 does not know these lines.
    text = b"".join(line for line in text.splitlines(True) if not line.startswith((b"\\restrict", b"\\unrestrict")))
    target.write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
    print(f"{target}: {len(text)} bytes, {target.stat().st_size} compressed")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]))
