"""What the integration tests exchanged, judged by Redocly's drift: judge_traffic.py REDOCLY CONTRACT RECORDED.

Some exchanges of each operation, status and choice of parameters: all of them would take an hour. Of refused requests
only the answers are judged, for they are meant to be wrong. Every operation, parameter and status has to be there, but
500, which nothing is known to cause, and 503 without a token, which lasts for milliseconds. Prints what is found, and
ends with status 1 when that is anything.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

import yaml

EACH = 2
RECORDED_WHOLE = 4096


def pairs(values):
    return [{"name": name, "value": value} for name, value in values.items()]


def entry(exchange, server):
    """An exchange as an HTTP archive has it. Tokens are not recorded: another word stands for them."""
    headers = dict(exchange["request_headers"])
    if exchange["status"] != 401:
        headers["Authorization"] = "Bearer not-recorded"
    path, _, text = exchange["target"].partition("?")
    if exchange["operation"] and path.endswith(".csv"):     # the same as this parameter, says the contract
        path, text = path.removesuffix(".csv"), f"format=csv&{text}".rstrip("&")
    query = urllib.parse.parse_qsl(text, keep_blank_values=True)
    request = {"method": exchange["method"], "url": server + path + (f"?{text}" if text else ""),
               "headers": pairs(headers), "cookies": [],
               "queryString": [{"name": name, "value": value} for name, value in query],
               "httpVersion": "HTTP/1.1", "headersSize": -1, "bodySize": -1}
    if exchange["request_body"]:
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
        request["postData"] = {"mimeType": kind, "text": exchange["request_body"]}
    response = {"status": exchange["status"], "statusText": "", "httpVersion": "HTTP/1.1", "cookies": [],
                "headers": pairs(exchange["headers"]), "redirectURL": "", "headersSize": -1, "bodySize": -1,
                "content": {"size": len(exchange["body"]), "text": exchange["body"],
                            "mimeType": exchange["headers"].get("Content-Type", "")}}
    return {"startedDateTime": "2026-01-01T00:00:00Z", "time": 0, "cache": {},
            "timings": {"send": 0, "wait": 0, "receive": 0}, "request": request, "response": response}


def chosen(lines):
    counts = {}
    for exchange in map(json.loads, lines):
        query = urllib.parse.parse_qsl(exchange["target"].partition("?")[2])
        names = tuple(sorted({name for name, _ in query} | {name.lower() for name in exchange["request_headers"]}))
        kind = exchange["operation"], exchange["status"], names
        in_part = exchange["status"] < 400 and len(exchange["request_body"]) >= RECORDED_WHOLE
        if exchange["operation"] is None or exchange["method"] in ("HEAD", "OPTIONS") or in_part:
            continue
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= EACH:
            yield exchange


def node_of(operation, document):
    return next(one for item in document["paths"].values() for one in item.values()
                if isinstance(one, dict) and one.get("operationId") == operation)


def is_misread(operation, message, document):
    """Whether it complains about a list that is separated by commas (style form without explode): it does not take
    these apart."""
    named = re.match('Invalid query parameter "([^"]+)"', message)
    return named is not None and any(
        one.get("name") == named[1] and one.get("schema", {}).get("type") == "array"
        for one in node_of(operation, document)["parameters"])


def is_known(operation, missing, document):
    """Whether it is known why the tests do not have it."""
    node = node_of(operation, document)
    public = node.get("security") == []
    return missing["kind"] == "property" or missing.get("status") == "500" or (
        missing.get("status") == "503" and public)


class Drift:
    def __init__(self, redocly, contract, folder):
        self.redocly, self.contract, self.folder = redocly, contract, pathlib.Path(folder)
        self.document = yaml.safe_load(pathlib.Path(contract).read_text(encoding="utf-8"))

    def run(self, entries):
        """The findings and the coverage of some exchanges."""
        archive, report, coverage = (self.folder / name for name in ("traffic.har", "report.json", "coverage.json"))
        archive.write_text(json.dumps({"log": {"version": "1.2", "creator": {"name": "tests", "version": "1"},
                                               "entries": entries}}), encoding="utf-8")
        report.unlink(missing_ok=True)
        subprocess.run([self.redocly, "drift", archive, "--api", self.contract, "--coverage-output", coverage,
                        "--format", "json", "-o", report], check=False, timeout=300,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return json.loads(report.read_text())["problems"], json.loads(coverage.read_text())

    def judge(self, recorded):
        """Yields what is wrong."""
        with open(recorded, encoding="utf-8") as lines:
            entries = [entry(exchange, self.document["servers"][0]["url"]) for exchange in chosen(lines)]
        kept, _ = self.run([one for one in entries if one["response"]["status"] < 400])
        whole, found = self.run(entries)
        for one in [*kept, *(one for one in whole if one["target"] == "response")]:
            if not is_misread(one["operationId"], one["message"], self.document):
                yield f"{one['operationId']}: {one['message']}"
        if found["meta"]["exchanges"]["matched"] != len(entries):
            yield f"only {found['meta']['exchanges']['matched']} of {len(entries)} exchanges belong to an operation"
        for one in found["operations"]:
            yield from (f"{one['operationId']} never had the {missing['kind']} {missing.get('status') or missing['name']}"
                        for missing in one["missing"] if not is_known(one["operationId"], missing, self.document))


def main(redocly, contract, recorded):
    with tempfile.TemporaryDirectory() as folder:
        found = sorted(set(Drift(redocly, contract, folder).judge(recorded)))
    print(*found, sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
