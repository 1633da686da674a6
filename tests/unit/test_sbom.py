"""The bill of materials: valid CycloneDX with all required components."""
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("LR_BINARY", ROOT / "build" / "learning-reviews"))
SCRIPT = ROOT / "deploy" / "lib" / "sbom.py"


def write(place):
    subprocess.run([sys.executable, SCRIPT, PROGRAM, place, "1.2.3"], check=True)
    return place.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bill(tmp_path_factory):
    return json.loads(write(tmp_path_factory.mktemp("sbom") / "bill.json"))


def test_it_is_a_bill_of_the_program(bill):
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    assert bill["metadata"]["component"]["version"] == "1.2.3"


def test_every_component_can_be_found(bill):
    for one in bill["components"]:
        assert one["type"] == "library" and one["name"] and one["version"]
        assert re.fullmatch(r"pkg:deb/debian/[a-z0-9.+-]+@[^?\s]+\?arch=[a-z0-9]+&distro=debian-12", one["purl"])


def test_all_libraries_of_the_program_are_listed(bill):
    names = " ".join(one["name"] for one in bill["components"])
    for part in ("libulfius", "libmicrohttpd", "libjansson", "libpq5", "libjwt", "libjose", "libcurl", "libssl3",
                 "zlib1g", "libpcre2-8", "libc6"):
        assert part in names, part


def test_references_are_unique_and_name_components(bill):
    references = [one["bom-ref"] for one in bill["components"]]
    assert len(references) == len(set(references))
    assert bill["dependencies"] == [{"ref": "learning-reviews", "dependsOn": references}]


def test_licences_are_known_for_most(bill):
    known = [one for one in bill["components"] if one.get("licenses")]
    assert len(known) > len(bill["components"]) / 2


def test_writing_it_again_gives_the_same(tmp_path):
    assert write(tmp_path / "one.json") == write(tmp_path / "two.json")
