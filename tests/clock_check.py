#!/usr/bin/python3
"""Finds verdicts that depend on a clock, in the suites of the required check.

    tests/clock_check.py [file or folder …]      ends with status 1 and a line for each finding

A finding is a pause (`sleep(` and similar calls, pg_sleep too), a comparison with a clock or with a value computed from
one, and a time limit below that of the watchdog (tests/integration/waiting.py). A line that needs one states the
reason: `# clock: reason` in Python, `/* clock: reason */` in C.
"""
import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SUITES = ("unit", "integration", "security", "contract", "statistics", "faults", "kit/unit")
# Called by tests/contract/run, a suite of the whole check; and examples of findings.
NOT_REQUIRED = ("contract/tools", "unit/test_clock_check.py")
LEAST_S = 60
CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time", "time_ns", "process_time"}
ARITHMETIC = {"abs", "float", "int", "max", "mean", "median", "min", "round", "sorted", "sum"}
LIMITS = {"timeout", "seconds"}
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
REASON = re.compile(r"(#|/\*) clock: \S")
PAUSE = re.compile(r"\b(pg_)?(u|nano)?sleep(_for|_until)? ?\(")
C_CLOCK = re.compile(r"\b(time\(NULL\)|clock_gettime\(|gettimeofday\(|seconds_now\(|now_ms\()")
C_COMPARISON = re.compile(r"[^-<>]([<>]=?)[^<>]|\bcr_(expect|assert)_(lt|leq|gt|geq)\(")
C_LIMIT = re.compile(r"\.timeout = (\d+)")


def is_clock(node):
    """Returns whether the expression is a call of a clock."""
    if isinstance(node, ast.Attribute):
        return node.attr == "elapsed"
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    if isinstance(called, ast.Attribute):
        return called.attr in CLOCKS and isinstance(called.value, ast.Name) and called.value.id == "time"
    return isinstance(called, ast.Name) and called.id in CLOCKS - {"time"}


def called_name(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def depends(node, names):
    """Returns whether the value of an expression is a time, or computed from a name that is one."""
    if is_clock(node) or isinstance(node, ast.Name) and node.id in names:
        return True
    if isinstance(node, (ast.JoinedStr, ast.Lambda)):
        return False
    if isinstance(node, ast.Call):
        told = isinstance(node.func, ast.Attribute) and depends(node.func.value, names)  # elapsed.total_seconds()
        return told or called_name(node) in ARITHMETIC and any(depends(one, names) for one in node.args)
    return any(depends(one, names) for one in ast.iter_child_nodes(node))


def names_of(target):
    return {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}


def clocked_names(scope):
    """Returns the names of a function, or of a module, that hold times."""
    names, before = set(), None
    while before != names:
        before = set(names)
        for node in ast.walk(scope):
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if depends(node.value, names):
                    names |= {name for target in targets if not isinstance(target, (ast.Attribute, ast.Subscript))
                              for name in names_of(target)}
            elif isinstance(node, ast.Call) and called_name(node) == "append" and depends(node.args[0], names):
                names |= names_of(node.func)
    return names


def is_short(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and node.value < LEAST_S


def limits_of(call):
    """Returns the time limits that a call has."""
    named = [word.value for word in call.keywords if word.arg in LIMITS]
    return named + (call.args if called_name(call) == "settimeout" else [])


def python_findings(text):
    """Returns (first line, last line, finding) of each."""
    tree = ast.parse(text)
    apart = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    scopes = [node for node in ast.walk(tree) if isinstance(node, apart[:2])]
    scopes.append(ast.Module([node for node in tree.body if not isinstance(node, apart)], []))
    for scope in scopes:
        names = clocked_names(scope)
        for node in ast.walk(scope):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ORDER) and depends(node, names):
                yield node.lineno, node.end_lineno, "a comparison with a clock"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and any(is_short(limit) for limit in limits_of(node)):
            yield node.lineno, node.end_lineno, f"a time limit below {LEAST_S} s"
    for number, line in enumerate(text.splitlines(), 1):
        if PAUSE.search(line.partition("#")[0]):
            yield number, number, "a pause"


def c_findings(text):
    for number, line in enumerate(text.splitlines(), 1):
        code = re.sub(r'/\*.*?\*/|"(\\.|[^"\\])*"', "", line)
        limit = C_LIMIT.search(code)
        if PAUSE.search(code):
            yield number, number, "a pause"
        if C_CLOCK.search(code) and C_COMPARISON.search(code):
            yield number, number, "a comparison with a clock"
        if limit and int(limit[1]) < LEAST_S:
            yield number, number, f"a time limit below {LEAST_S} s"


def findings(path, text):
    """Returns the findings in a file that have no reason: (line, finding)."""
    lines = text.splitlines()
    look = python_findings if path.suffix == ".py" else c_findings
    return sorted({(first, what) for first, last, what in look(text)
                   if not any(REASON.search(line) for line in lines[first - 1:last])})


def files_below(places):
    for place in places:
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        yield from (path for path in inside if path.suffix in (".py", ".c", ".h") and not any(
            part in path.as_posix() for part in NOT_REQUIRED))


def main(words):
    found = 0
    for path in files_below([pathlib.Path(word) for word in words] or [ROOT / "tests" / suite for suite in SUITES]):
        for line, what in findings(path, path.read_text(encoding="utf-8")):
            print(f"{path}:{line}: {what}; wait for an event, or say why with `clock: reason`")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
