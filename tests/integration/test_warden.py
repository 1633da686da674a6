"""Killed tests leave no process and no folder behind."""
import os
import pathlib
import signal
import subprocess
import sys

from waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent
KILLED = """
import os, signal
from cluster import Cluster
from service import Instance, Secrets
cluster, keys = Cluster(), Secrets()
instance = Instance(cluster, keys).start()
postmaster = (cluster.data / "postmaster.pid").read_text().splitlines()[0]
print(instance.process.pid, postmaster, cluster.folder, keys.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def is_running(pid):
    """Returns whether such a process exists and has not ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_services_and_clusters_end_with_killed_tests():
    done = subprocess.run([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent / "contract")])})
    service, postmaster, *folders = done.stdout.split()
    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: not is_running(service), "the service to end")
    wait_until(lambda: not is_running(postmaster), "PostgreSQL to end")
    for folder in folders:
        wait_until(lambda: not pathlib.Path(folder).exists(), f"{folder} to be removed")
