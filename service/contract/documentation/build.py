"""Writes the documentation for the build: build.py ROOT OUTPUT_FOLDER.

ROOT is the repository. Writes each page, the style, the scripts and the search index to OUTPUT_FOLDER/documentation,
and documentation_files.c, which has them all for the program.
"""
import base64
import gzip
import hashlib
import pathlib
import sys

sys.dont_write_bytecode = True  # the build leaves nothing in the source folder
HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

from compile import collect_operations, collect_webhooks  # noqa: E402
from pages import make_pages, render_pages  # noqa: E402
from schema_tables import c_bytes  # noqa: E402
from search_index import write_index  # noqa: E402
from source import ContractError, load_contract  # noqa: E402


def make_files(root):
    """Returns {address: text} of all pages and of what they use."""
    document = load_contract((root / "openapi.yaml").read_text(encoding="utf-8"))
    pages = make_pages(document, [*collect_operations(document), *collect_webhooks(document)], root)
    script, form = ((HERE / name).read_text(encoding="utf-8") for name in ("script.js", "try.js"))
    return {**render_pages(pages, document["info"]["title"]),
            "/docs/style.css": (HERE / "style.css").read_text(encoding="utf-8"),
            "/docs/script.js": script, "/docs/script.js+development": script + form,
            "/docs/search.json": write_index(pages)}


MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".json": "application/json"}


def render_source(files):
    """Returns documentation_files.c."""
    lines, rows = ['#include "api/documentation.h"\n'], []
    for number, (address, text) in enumerate(files.items()):
        data = text.encode("utf-8")
        small = gzip.compress(data, 9, mtime=0)
        lines.append(f"static const unsigned char gzip_{number}[] =\n{c_bytes(small)};")
        media_type = MEDIA_TYPES.get(pathlib.Path(address.split("+")[0]).suffix, "text/html; charset=utf-8")
        tag = base64.urlsafe_b64encode(hashlib.sha256(data).digest()[:9]).decode()
        rows.append(f'    {{"{address}", {{"{media_type}", "\\"{tag}\\"", gzip_{number}, {len(small)}, {len(data)}}}}}')
    lines += ["const documentation_file documentation_files[] = {\n" + ",\n".join(rows) + "};",
              f"const size_t documentation_file_count = {len(rows)};"]
    return "\n".join(lines) + "\n"


def main(arguments):
    root, folder = map(pathlib.Path, arguments[1:])
    try:
        files = make_files(root)
    except ContractError as error:
        print(f"documentation: {error}", file=sys.stderr)
        return 1
    (folder / "documentation").mkdir(parents=True, exist_ok=True)
    for address, text in files.items():
        name = address.strip("/").replace("/", "+") or "index"
        (folder / "documentation" / name).write_text(text, encoding="utf-8")
    (folder / "documentation_files.c").write_text(render_source(files), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
