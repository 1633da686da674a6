#!/usr/bin/python3
"""Compiles the files of the dashboard into C: embed.py FOLDER OUTPUT_FOLDER."""
import pathlib
import sys

FILES = {"page": "index.html", "script": "script.js", "style": "style.css"}


def c_bytes(data):
    """The bytes as string literals; '?' is escaped because of trigraphs."""
    plain = set(range(0x20, 0x7F)) - set(b'"\\?')
    texts = ("".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in data[at:at + 96])
             for at in range(0, len(data), 96))
    return "\n".join(f'    "{text}"' for text in texts)


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
