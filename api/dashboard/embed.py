#!/usr/bin/python3
"""Compiles the files of the dashboard into C: embed.py FOLDER OUTPUT_FOLDER."""
import pathlib
import sys

sys.dont_write_bytecode = True  # the build leaves nothing in the source folder
sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "service" / "contract"))

from schema_tables import c_bytes  # noqa: E402

FILES = {"page": "index.html", "script": "script.js", "style": "style.css"}


def main():
    folder, out = map(pathlib.Path, sys.argv[1:3])
    out.mkdir(parents=True, exist_ok=True)
    source = ['#include "api/dashboard.h"', ""]
    for name, file in FILES.items():
        data = (folder / file).read_bytes()
        source += [f"const unsigned char dashboard_{name}[] =\n{c_bytes(data)};",
                   f"const size_t dashboard_{name}_size = sizeof dashboard_{name} - 1;"]
    (out / "dashboard_files.c").write_text("\n".join(source) + "\n")


if __name__ == "__main__":
    main()
