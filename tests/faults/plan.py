"""Selects the calls that must fail in the service: writes the file that the preloaded library (inject.c) reads."""
import contextlib
import mmap
import os
import pathlib
import struct
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MEMORY, REFUSED, CUT = 1, 2, 3
LAYOUT = struct.Struct("=qqqqi")


def build_library(folder):
    """Compiles the library next to the tested program."""
    library = pathlib.Path(folder) / "inject.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}",
                    "-I/usr/include/postgresql", ROOT / "tests/faults/inject.c", "-o", library],
                   check=True)
    return library


class Plan:
    def __init__(self):
        self.kind = None
        self.folder = tempfile.TemporaryDirectory(prefix="lr-faults-")
        self.path = pathlib.Path(self.folder.name) / "plan"
        self.path.write_bytes(bytes(LAYOUT.size))
        self.library = build_library(self.folder.name)
        with open(self.path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), LAYOUT.size)

    @property
    def environment(self):
        return {"LD_PRELOAD": str(self.library), "FAULTS_FILE": str(self.path)}

    @contextlib.contextmanager
    def failing(self, kind, first, last=None):
        """Makes calls `first` to `last` of the kind fail; 0 only counts. Yields a function: (seen, failed)."""
        self.memory[:] = LAYOUT.pack(0, first, last or first, 0, 0)
        self.memory[32:36] = struct.pack("=i", kind)

        def figures():
            seen, _, _, failed, _ = LAYOUT.unpack(self.memory[:])
            return seen, failed
        try:
            yield figures
        finally:
            self.memory[32:36] = struct.pack("=i", 0)

    def close(self):
        self.memory.close()
        self.folder.cleanup()
        assert not os.path.exists(self.path)
