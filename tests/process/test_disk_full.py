"""The database's disk is full: pushes are refused with 503, nothing acknowledged is lost, and free space is enough to
recover."""
import contextlib
import os
import shutil
import subprocess
import time

import psycopg2
import pytest

from load_generator import Load, assert_nothing_lost, seconds_until, tally, token_of

DISK_MIB, ENOUGH_REFUSED = 320, 40


@pytest.fixture
def small_disk(cluster):
    """Moves the database's folder to a separate file system in memory."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    place = cluster.folder / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", place], capture_output=True,
                             check=False)
    if mounted.returncode != 0:
        pytest.skip(f"this machine does not let us mount: {mounted.stderr.decode()}")
    whole = cluster.data
    cluster.execute("alter system set max_wal_size = '64MB'")
    cluster.execute("alter system set min_wal_size = '32MB'")
    cluster.execute("alter system set wal_recycle = off")
    cluster.stop()
    subprocess.run(["cp", "-a", whole, place], check=True)
    cluster.data = place / "data"
    cluster.start()
    yield place
    cluster.stop()
    cluster.data = whole
    # Other processes (of the system, too) may read files there for a moment.
    seconds_until(lambda: subprocess.run(["umount", place], check=False).returncode == 0, 10)
    cluster.start()


def fill(path):
    """Fills the rest of the disk."""
    with open(path, "wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"\0" * 65536)


def start_if_it_ended(cluster):
    """PostgreSQL may end when it cannot write its log: acts as the supervisor that starts it again."""
    with contextlib.suppress(RuntimeError):
        cluster.start()


def test_a_full_disk_refuses_pushes_and_free_space_is_enough_to_recover(serving, cluster, small_disk):
    instance = serving(cluster)
    instance.errors_expected = True
    with Load(instance, token_of(instance), 8) as load:
        time.sleep(0.7)
        fill(small_disk / "filler")
        full = time.monotonic()
        cluster_ended = False

        def enough_refused():
            return len([one for one in load.outcomes(full) if one.status == 503]) >= ENOUGH_REFUSED
        seconds_until(enough_refused, 25)
        with contextlib.suppress(psycopg2.Error):
            cluster.execute("select pg_switch_wal()")  # it needs a new log file: PostgreSQL may end here, too
        time.sleep(1)
        assert instance.admin("/livez")[0] == 200
        free = shutil.disk_usage(small_disk).free
        (small_disk / "filler").unlink()
        emptied = time.monotonic()
        if instance.admin("/readyz")[0] != 200:
            time.sleep(1)
            cluster_ended = instance.admin("/readyz")[0] != 200
            start_if_it_ended(cluster)
        seconds_until(lambda: [one for one in load.outcomes(emptied) if one.kind == "push" and one.status == 201], 10)
        recovered = time.monotonic() - emptied
        time.sleep(0.5)
    outcomes = load.outcomes()
    told = assert_nothing_lost(cluster, outcomes)
    print(f"\ndisk full ({free >> 10} KiB free): {tally(outcomes)}, {len(told)} acknowledged pushes there; the first push "
          f"{recovered:.2f} s after there was space{', the database had to be started' if cluster_ended else ''}")
    refused = [one for one in outcomes if one.status not in (200, 201)]
    assert {(one.status, one.fault) for one in refused} == {(503, None)}
    assert all(int(one.retry_after) >= 1 for one in refused)
    assert max(one.took for one in outcomes) < 10
    assert not instance.has_ended()
