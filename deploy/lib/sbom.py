"""Writes a bill of materials (CycloneDX 1.5, JSON) of a program: sbom.py PROGRAM FILE VERSION.

The components are the Debian packages of the libraries that the program is linked with, by ldd and dpkg.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid

NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # that of addresses (RFC 9562)
FIELDS = "${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n"


def run(*words, check=True):
    return subprocess.run(words, check=check, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def libraries(program):
    """The files of all shared libraries, also of those that libraries need."""
    return sorted(set(re.findall(r"(/\S+\.so\S*)", run("ldd", program))))


def packages_of(files):
    """The packages that the files came with; on a merged /usr a file may be known by either name."""
    names = {file: {file, os.path.realpath(file), file.removeprefix("/usr"), f"/usr{file}"} for file in files}
    found = {}
    for line in run("dpkg-query", "-S", *sorted(set().union(*names.values())), check=False).splitlines():
        owners, _, path = line.rpartition(": ")
        found[path] = owners.split(",")[0]
    missing = [file for file, spellings in names.items() if not spellings & found.keys()]
    if missing:
        raise SystemExit(f"no package has {missing}")
    return sorted({found[path] for spellings in names.values() for path in spellings if path in found})


def licences(name):
    """The licences in the machine-readable copyright file of a package, if it has one."""
    path = pathlib.Path("/usr/share/doc") / name / "copyright"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return sorted(set(re.findall(r"^License: *(\S.*?) *$", text, re.MULTILINE)))


def component(line):
    name, version, architecture, source, source_version = line.split("\t")
    purl_version = version.replace(":", "%3A").replace("+", "%2B")
    found = {"type": "library", "bom-ref": f"pkg:deb/debian/{name}@{purl_version}?arch={architecture}",
             "name": name, "version": version,
             "purl": f"pkg:deb/debian/{name}@{purl_version}?arch={architecture}&distro=debian-12",
             "properties": [{"name": "debian:source", "value": f"{source} {source_version}"}]}
    known = licences(name)
    if known:
        found["licenses"] = [{"license": {"name": each}} for each in known]
    return found


def main(program, file, version):
    packages = packages_of(libraries(program))
    described = run("dpkg-query", "-W", f"-f={FIELDS}", *packages).splitlines()
    components = [component(line) for line in sorted(described)]
    root = {"type": "application", "bom-ref": "learning-reviews", "name": "learning-reviews", "version": version,
            "licenses": [{"license": {"id": "MIT"}}]}
    # The same libraries give the same number, so that two builds can be compared byte by byte.
    serial = uuid.uuid5(NAMESPACE, json.dumps([version, components], sort_keys=True))
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{serial}", "version": 1,
                "metadata": {"component": root}, "components": components,
                "dependencies": [{"ref": "learning-reviews", "dependsOn": [one["bom-ref"] for one in components]}]}
    pathlib.Path(file).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:4])
