"""A PostgreSQL primary with a streaming standby: killed, promoted, created again."""
import os
import pathlib
import shutil
import signal
import time

from cluster import DATABASE, Cluster


def children_of(pid):
    """Returns the processes that a postmaster started."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(entry.parent.name))
    return found


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill_postgres(data):
    """Sends SIGKILL to a postmaster and all of its processes; returns after the last one ended.

    It removes its lock files too: where no process reaps orphans, the dead process still has its number.
    """
    lines = (data / "postmaster.pid").read_text().splitlines()
    postmaster = int(lines[0])
    pids = [postmaster, *children_of(postmaster)]
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    while any(map(is_running, pids)):
        time.sleep(0.01)
    (data / "postmaster.pid").unlink(missing_ok=True)
    pathlib.Path(lines[4], f".s.PGSQL.{lines[3]}.lock").unlink(missing_ok=True)


class Node(Cluster):
    """One server; with a `source`, a standby of it."""

    def __init__(self, source=None):
        super().__init__(None if source is None else lambda made: made.copy(source))

    def copy(self, source):
        self.run("pg_basebackup", "-D", self.data, "-h", source.folder, "-U", "postgres", "-c", "fast", "-R", "-N")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as settings:
            settings.write("synchronous_standby_names = ''\nwal_retrieve_retry_interval = 200ms\n")

    def follow_anew(self, source):
        """Discards the data that only a killed primary had."""
        shutil.rmtree(self.data)
        self.copy(source)
        self.start()

    def kill(self):
        """Sends SIGKILL to all of its processes, like the loss of its machine."""
        kill_postgres(self.data)

    def promote(self):
        self.run("pg_ctl", "-D", self.data, "-w", "promote")

    def set(self, setting):
        self.execute(f"alter system set {setting}")
        self.execute("select pg_reload_conf()")

    def wait_for_standby(self, state="streaming", sync=None):
        deadline = time.monotonic() + 20
        while not self.execute("select 1 from pg_stat_replication where state = %s and coalesce(sync_state = %s, true)",
                               (state, sync)):
            if time.monotonic() > deadline:
                raise RuntimeError("no standby streams")
            time.sleep(0.02)


def of_all(nodes, user, attributes):
    """A multi-host connection string."""
    return (f"host={','.join(str(each.folder) for each in nodes)} user={user} dbname={DATABASE} "
            f"target_session_attrs={attributes}")
