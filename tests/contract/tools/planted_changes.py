"""Changes of the contract whose size is known, judged by the comparison: planted_changes.py REDOCLY CONTRACT.

Every break is seen as one, no addition is, and a version that hides a break is refused: below 1.0 the middle number
has to go up, from then on the first. Prints what is judged otherwise, and ends with status 1 when that is anything.
"""
import concurrent.futures
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import yaml

CASE, REFERRALS, REFERRAL = "/v1/cases/{id}", "/v1/referrals", "/v1/referrals/{id}"


def schema(document, name):
    return document["components"]["schemas"][name]


def properties(document, name):
    return schema(document, name)["properties"]


def drop_required(document, name, member):
    schema(document, name)["required"].remove(member)


BREAKS = {
    "a path lost": lambda d: d["paths"].pop("/v1/cases"),
    "an operation lost": lambda d: d["paths"][CASE].pop("patch"),
    "a status of success lost": lambda d: d["paths"][REFERRALS]["post"]["responses"].pop("200"),
    "a media type of an answer renamed": lambda d: d["paths"][CASE]["get"]["responses"]["200"].update(
        content={"application/xml": {"schema": {"type": "string"}}}),
    "a query parameter lost": lambda d: d["paths"][REFERRALS]["get"]["parameters"].pop(0),
    "a query parameter that is needed": lambda d: d["paths"][REFERRALS]["get"]["parameters"].append(
        {"name": "new", "in": "query", "required": True, "schema": {"type": "string"}}),
    "a member of an answer lost": lambda d: (
        properties(d, "Case").pop("stage"), drop_required(d, "Case", "stage")),
    "a member of an answer with another type": lambda d: properties(d, "Case").update(
        legal_hold={"type": "string"}),
    "a member of an answer that need not be there": lambda d: drop_required(d, "Case", "reference"),
    "a member of a request that is needed": lambda d: schema(d, "ReferralInput")["required"].append("source_role"),
    "a member of a request lost": lambda d: properties(d, "ReferralInput").pop("incident_on"),
    "a value of a request no longer taken": lambda d: schema(d, "SourceRole")["enum"].pop(),
}
ADDITIONS = {
    "a path": lambda d: d["paths"].update({"/v1/new": copy.deepcopy(d["paths"][REFERRALS])}),
    "an operation": lambda d: d["paths"][REFERRAL].update(delete={
        **copy.deepcopy(d["paths"][REFERRAL]["get"]), "operationId": "deleteReferral"}),
    "a query parameter": lambda d: d["paths"][REFERRALS]["get"]["parameters"].append(
        {"name": "new", "in": "query", "schema": {"type": "string"}}),
    "a header of a request": lambda d: d["paths"][REFERRALS]["post"]["parameters"].append(
        {"name": "X-New", "in": "header", "schema": {"type": "string"}}),
    "a header of an answer": lambda d: d["paths"][CASE]["get"]["responses"]["200"]["headers"].update(
        {"X-New": {"schema": {"type": "string"}}}),
    "a member of an answer": lambda d: (properties(d, "Case").update(new={"type": "string"}),
                                        schema(d, "Case")["required"].append("new")),
    "a member of a request": lambda d: properties(d, "ReferralInput").update(new={"type": "string"}),
    "a member of a request that need not be there any more": lambda d: drop_required(d, "ReferralInput", "basis"),
    "a schema": lambda d: d["components"]["schemas"].update(New={"type": "string"}),
    "a tag": lambda d: d["tags"].append({"name": "New", "description": "Something new."}),
    "a link": lambda d: d["paths"][CASE]["get"]["responses"]["200"].setdefault("links", {}).update(
        new={"operationId": "getCase", "parameters": {"id": "$response.body#/id"}}),
    "other words": lambda d: d["paths"][CASE]["get"].update(description="Other words."),
}
# (version before, version after): whether a break may come with it.
VERSIONS = {("0.2.0", "0.2.0"): False, ("0.2.0", "0.2.1"): False, ("0.2.0", "0.3.0"): True,
            ("1.2.0", "1.3.0"): False, ("1.2.0", "2.0.0"): True}


def named(node):
    """The components that a part of the contract refers to."""
    if isinstance(node, dict):
        return {node["$ref"]} if isinstance(node.get("$ref"), str) else set().union(*map(named, node.values()))
    return set().union(*map(named, node)) if isinstance(node, list) else set()


def part_of(contract):
    """The contract with a few of its paths and what they need, so that a comparison takes a second."""
    paths = {path: contract["paths"][path] for path in (REFERRALS, REFERRAL, "/v1/cases", CASE)}
    components = {"securitySchemes": contract["components"]["securitySchemes"]}
    wanted, done = named(paths), set()
    while wanted - done:
        reference = (wanted - done).pop()
        done.add(reference)
        kind, name = reference.split("/")[2:]
        components.setdefault(kind, {})[name] = contract["components"][kind][name]
        wanted |= named(components[kind][name])
    for answer in (answer for item in paths.values() for one in item.values() if isinstance(one, dict)
                   for answer in one["responses"].values()):
        answer.pop("links", None)  # to operations that are not here
    return copy.deepcopy({**contract, "paths": paths, "components": components})


class Comparison:
    def __init__(self, redocly, contract):
        self.redocly, self.base = redocly, part_of(contract)

    def run(self, before, after, *words):
        with tempfile.TemporaryDirectory() as folder:
            for name, document in (("before", before), ("after", after)):
                pathlib.Path(folder, f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
            return subprocess.run([self.redocly, "diff", "before.json", "after.json", *words], cwd=folder,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                                  timeout=120)

    def breaks(self, change):
        after = copy.deepcopy(self.base)
        change(after)
        return self.run(self.base, after).returncode != 0

    def passes(self, versions):
        before, after = copy.deepcopy(self.base), copy.deepcopy(self.base)
        BREAKS["a path lost"](after)
        before["info"]["version"], after["info"]["version"] = versions
        return self.run(before, after, "--check-version", "--fail-on", "none").returncode == 0


def main(redocly, contract):
    comparison = Comparison(redocly, yaml.safe_load(pathlib.Path(contract).read_text(encoding="utf-8")))
    cases = [(f"not seen as a break: {name}", comparison.breaks, change, True) for name, change in BREAKS.items()]
    cases += [(f"seen as a break: {name}", comparison.breaks, change, False) for name, change in ADDITIONS.items()]
    cases += [(f"judged otherwise: {versions}", comparison.passes, versions, may) for versions, may in VERSIONS.items()]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda case: case[1](case[2]), cases)
        found = [case[0] for case, answer in zip(cases, answers) if answer is not case[3]]
    print(*found, sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
