"""What is installed and operated: the package, a machine to try it on, and a running service."""
import os
import pathlib
import shutil
import subprocess

import pytest

from commands import ROOT, run
from service import Instance, program


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The Debian package, built from a clean copy as Containerfile does; LR_PACKAGE names one that is
    there already."""
    if "LR_PACKAGE" in os.environ:
        return pathlib.Path(os.environ["LR_PACKAGE"]).resolve()
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("package")
    files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode()
    for name in filter(None, files.split("\0")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, source / name)
    clean = {name: value for name, value in os.environ.items() if name not in ("BUILD", "CC")}
    built = run(source / "deploy" / "package", out, env=clean)
    assert built.returncode == 0, built.stdout
    made = list(out.glob("*.deb"))
    assert len(made) == 1
    shutil.rmtree(source)
    return made[0]


@pytest.fixture(scope="session")
def unpacked(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return folder


@pytest.fixture(scope="session")
def binary():
    return program()


@pytest.fixture(scope="session")
def instance(cluster, keys):
    made = Instance(cluster, keys)
    made.run("migrate")
    yield made.start()
    made.stop()
