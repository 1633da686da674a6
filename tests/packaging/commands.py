"""Runs commands on this machine, and on a disposable copy of it."""
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*words, **options):
    """Runs a command; its output is text, and the caller checks the status."""
    return subprocess.run([str(word) for word in words], check=False, timeout=900, text=True,
                          **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options})


def box(script, *files, systemd=False):
    """Runs a script on a disposable copy of this machine; see the program `box`."""
    if os.geteuid() != 0:
        pytest.skip("a throw-away machine needs root")
    mode = ["--systemd"] if systemd else []
    return run(ROOT / "tests" / "packaging" / "box", *mode, *files, input=script)


def make_package(source, out):
    """Builds the Debian package from a clean copy in the folder `source`, as Containerfile does."""
    files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode()
    for name in filter(None, files.split("\0")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, source / name)
    clean = {name: value for name, value in os.environ.items() if name not in ("BUILD", "CC")}
    clean["SOURCE_DATE_EPOCH"] = "1700000000"
    built = run(source / "deploy" / "package", out, env=clean)
    assert built.returncode == 0, built.stdout
    made = list(out.glob("*.deb"))
    assert len(made) == 1
    shutil.rmtree(source)
    return made[0]
