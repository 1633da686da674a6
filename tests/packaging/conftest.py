"""Fixtures of the packaging tests: the package, a disposable machine, and a running service."""
import os
import pathlib
import subprocess

import pytest

from commands import make_package
from service import Instance, program


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The Debian package; LR_PACKAGE names an existing one."""
    if "LR_PACKAGE" in os.environ:
        return pathlib.Path(os.environ["LR_PACKAGE"]).resolve()
    return make_package(tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("package"))


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
    yield made.start()
    made.stop()
