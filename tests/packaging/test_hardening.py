"""The installed program: its linking and compilation make attacks harder.

Debian's start-up objects lack marks for indirect branches and shadow stacks, so the program has none.
"""
import re

import pytest

from commands import run

BANNED = set("gets strcpy strcat sprintf vsprintf strtok system popen mktemp tmpnam tempnam scanf sscanf rand srand execlp execvp "
             "alloca atoi atol".split())
FORTIFIED = set("printf fprintf vfprintf vsnprintf asprintf explicit_bzero".split())


@pytest.fixture(scope="module")
def installed(unpacked):
    return unpacked / "usr/bin/learning-reviews"


@pytest.fixture(scope="module")
def imported(installed):
    found = run("nm", "-D", "--undefined-only", installed).stdout
    return {line.split()[1].partition("@")[0] for line in found.splitlines()}


def test_it_is_position_independent_with_read_only_relocations(installed):
    assert "DYN (Position-Independent Executable file)" in run("readelf", "-hW", installed).stdout
    dynamic = run("readelf", "-dW", installed).stdout
    assert "BIND_NOW" in dynamic and re.search(r"Flags: .*\bPIE\b", dynamic)
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic and "TEXTREL" not in dynamic
    segments = run("readelf", "-lW", installed).stdout
    assert "GNU_RELRO" in segments
    flags = re.findall(r"^ +(LOAD|GNU_STACK) +(?:0x[0-9a-f]+ +){5}([R W E]{3}) ", segments, re.MULTILINE)
    assert {name for name, _ in flags} == {"LOAD", "GNU_STACK"}
    assert [kind for _, kind in flags if "W" in kind and "E" in kind] == []


def test_its_calls_are_fortified_where_possible(imported):
    assert "__stack_chk_fail" in imported
    assert {f"__{name}_chk" for name in FORTIFIED} & imported and not FORTIFIED & imported


def test_it_calls_no_unsafe_function(imported):
    assert "PQexecParams" in imported or "PQsendQueryPrepared" in imported  # this is the list of its imported functions
    assert BANNED & imported == set()
