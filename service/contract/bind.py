"""Binds each operation to its handler in C, or to the default handler with the statement of the same name.

bind.py OPERATIONS_JSON STATEMENTS_JSON OUTPUT_C SOURCE_C …

Writes the handlers of the operations that have none in the sources: one call of the default that defaults.py chose.
Stops the build, and names the operation, when an operation or a statement is without its counterpart, and when the
filters and sort orders of a list (service/db/lists.py) are not those of the contract.
"""
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True  # the build leaves nothing in the source folder

# In the place of the values of a parameter: it takes several (service/db/lists.py, defaults.py).
SEVERAL = "several"
HANDLER = re.compile(r"\bhandle_(\w+)\(request\b")
STATEMENT = re.compile(r"\bstatement_(\w+)")


def read_sources(paths):
    """Returns the handlers that the sources define, each with its file, and the names of the statements they use."""
    handlers, used = {}, set()
    for path in paths:
        text = path.read_text(encoding="utf-8")
        handlers.update(dict.fromkeys(HANDLER.findall(text), path))
        used.update(STATEMENT.findall(text))
    return handlers, used


def number_of(values):
    return "several values" if values == SEVERAL else "one value"


def find_list_faults(operation, declared):
    """Yields a sentence for each filter or sort order that the contract or the statement of a list does not have."""
    statement = f"{operation['id']}: its statement {operation['name']}"
    for parameter, values in operation["query"].items():
        if parameter not in declared:
            yield f"{statement} has no declaration of the parameter {parameter}: write `-- filter {parameter}: …`"
        elif parameter == "sort" and values != declared["sort"]:
            yield (f"{statement} has the sort orders {', '.join(declared['sort'])}, but the contract has "
                   f"{', '.join(values)} (the default first)")
        elif SEVERAL in (values, declared[parameter]) and values != declared[parameter]:
            yield (f"{statement} takes {number_of(declared[parameter])} of {parameter}, but the contract "
                   f"{number_of(values)}: write `$[]` for several values")
        elif isinstance(declared[parameter], list) and sorted(declared[parameter]) != sorted(values or []):
            yield (f"{statement} declares {parameter} for {', '.join(declared[parameter])} only, but the contract has "
                   f"{', '.join(values or ['any value'])}")
    for parameter in sorted(declared.keys() - operation["query"].keys()):
        yield f"{statement} declares {parameter}, which is no parameter of the operation"


def find_faults(operations, statements, lists, handlers, used):
    """Yields a sentence for each operation, handler or statement that cannot be bound."""
    names = {each["name"]: each["id"] for each in operations}
    for each in operations:
        name, (least, most) = each["name"], each["parameters"]
        if name in handlers:
            if name in statements and name not in used:
                yield (f"{each['id']} has a handler and a statement, and no C code uses the statement: "
                       f"delete handle_{name} in {handlers[name]}, or the statement {name}")
        elif name not in statements:
            yield (f"{each['id']} has no statement and no handler: write the statement {name} in SQL, "
                   f"or handle_{name} in C if no default is right")
        elif not least <= statements[name] <= most:
            yield (f"{each['id']}: its statement {name} has {statements[name]} parameters, but its default handler "
                   f"(respond_{each['default']}) passes {least if least == most else f'{least} to {most}'}")
        if each["default"] == "page" and name not in handlers and name in statements:
            if name in lists:
                yield from find_list_faults(each, lists[name])
            else:
                yield f"{each['id']}: its statement {name} declares no filters: write `-- name: {name} page`"
    for name in sorted(lists.keys() - {each["name"] for each in operations if each["default"] == "page"}):
        yield f"the statement {name} is a page, but no operation of this name has the parameter cursor"
    for name in sorted(handlers.keys() - names):
        yield f"{handlers[name]}: handle_{name} belongs to no operation"
    for name in sorted(statements.keys() - names - used):
        yield f"the statement {name} belongs to no operation, and no C code uses it"


def render_handlers(operations, handlers):
    """Returns C with the handlers that the sources do not define."""
    lines = ["/* The operations without a handler in api/: each has the default for its shape; not to be edited. */",
             '#include "contract_handlers.h"', '#include "service/http/request.h"']
    for each in sorted(operations, key=lambda each: each["name"]):
        if each["name"] not in handlers:
            lines.append(f"\nvoid handle_{each['name']}(request *r) {{\n"
                         f"    respond_{each['default']}(r, statement_{each['name']});\n}}")
    return "\n".join(lines) + "\n"


def main(arguments):
    operations, written = (json.loads(pathlib.Path(path).read_text(encoding="utf-8")) for path in arguments[1:3])
    handlers, used = read_sources(map(pathlib.Path, arguments[4:]))
    faults = list(find_faults(operations, written["parameters"], written["lists"], handlers, used))
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    pathlib.Path(arguments[3]).write_text(render_handlers(operations, handlers), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
