"""Commands on this machine, and on a throw-away copy of it."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*words, **options):
    """Runs a command; its output is text, and its status is the caller's to judge."""
    return subprocess.run([str(word) for word in words], check=False, timeout=900, text=True,
                          **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options})


def box(script, *files, systemd=False):
    """Runs a script on a throw-away copy of this machine; see the program `box`."""
    if os.geteuid() != 0:
        pytest.skip("a throw-away machine needs root")
    mode = ["--systemd"] if systemd else []
    return run(ROOT / "tests" / "packaging" / "box", *mode, *files, input=script)
