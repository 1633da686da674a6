"""Ends the processes that the tests started when the tests themselves are killed.

A killed pytest runs no teardown: services would keep serving, and PostgreSQL, which is a daemon, would run
indefinitely. So each test process has a warden, a small process that reads one line for each object to watch and waits
for the end of its input. The kernel closes that input however the test process ends. The warden then kills the
remaining services and stops and removes the clusters.
Lines: `+ service PID`, `+ cluster FOLDER`, `+ folder FOLDER`, and the same with `-` when the tests ended it themselves.
"""
import atexit
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

_process = None


def watch(kind, name):
    _say("+", kind, name)


def forget(kind, name):
    _say("-", kind, name)


def _say(sign, kind, name):
    global _process
    if _process is None:
        # A session of its own: Ctrl-C and a signal to the process group do not reach it.
        _process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, start_new_session=True,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(_process.communicate)
    _process.stdin.write(f"{sign} {kind} {name}\n".encode())
    _process.stdin.flush()


def end_service(name):
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(name), signal.SIGKILL)


def end_cluster(name):
    """Kills the postmaster, whose processes end with it, and removes its folder."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        postmaster = (pathlib.Path(name) / "data" / "postmaster.pid").read_text().splitlines()[0]
        os.kill(int(postmaster), signal.SIGQUIT)
    remove_folder(name)


def remove_folder(name):
    shutil.rmtree(name, ignore_errors=True)


def main():
    watched = {}
    for line in sys.stdin:
        sign, kind, name = line.rstrip("\n").split(" ", 2)
        if sign == "+":
            watched[kind, name] = True
        else:
            watched.pop((kind, name), None)
    for kind, name in reversed(watched):
        {"service": end_service, "cluster": end_cluster, "folder": remove_folder}[kind](name)


if __name__ == "__main__":
    main()
