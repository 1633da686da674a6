"""A council's machine: a settings file, folders, a reporting database, and the network to the register."""
import csv
import http.server
import os
import pathlib
import subprocess
import sys
import threading
import uuid

import requests

from payloads import days_ago
from service import ROOT
from waiting import WATCHDOG_S

KIT = ROOT / "deploy" / "kit"


def new_row(reference, **overrides):
    return {"source_reference": reference, "notified_on": days_ago(5), "aware_on": days_ago(10),
            "incident_kind": "single_event", "criteria_claimed": "abuse_or_neglect", "immediate_concerns": "none",
            "basis": "Several agencies knew of the neglect and none saw the whole of it.",
            "child_id": f"child-{reference}", "outcome": "significant_harm", "age_band": "5_10", "sex": "female",
            **overrides}


class Line:
    """Forwards requests. `before` and `after` are called for each batch with its number, around its forwarding. One
    that returns False breaks the connection."""

    def __init__(self, url):
        self.url, self.keys, self.replayed = url, [], []
        self.before = self.after = lambda number: True
        line = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.forward(None)

            def do_POST(self):
                body, number = self.rfile.read(int(self.headers["Content-Length"])), len(line.keys)
                line.keys.append(self.headers["Idempotency-Key"])
                if line.before(number):
                    self.forward(body, number)
                else:
                    self.close_connection = True

            def forward(self, body, number=None):
                headers = {name: self.headers[name] for name in ("Authorization", "Content-Type", "Idempotency-Key")
                           if name in self.headers}
                answer = requests.request(self.command, line.url + self.path, data=body, headers=headers,
                                          timeout=WATCHDOG_S)
                if number is not None:
                    line.replayed.append(answer.headers.get("Idempotency-Replayed"))
                    if not line.after(number):
                        self.close_connection = True
                        return
                self.send_response(answer.status_code)
                for name in ("Content-Type", "Retry-After"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """The kit is killed while the register answers."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.here = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Council:
    def __init__(self, folder, agency, line):
        self.folder, self.agency, self.system = pathlib.Path(folder), agency, f"kit-{uuid.uuid4().hex[:8]}"
        self.files = self.folder / "files"
        self.settings = {
            "register": {"url": line.here, "patience_seconds": "0"}, "token": {"file": "token.txt"},
            "folders": {"csv": "files", "quiet_seconds": "0"}, "batch": {"referrals": "7"},
            "defaults": {"source_system": self.system, "committee": "GLA", "local_authority": "S12000049"}}
        (self.folder / "token.txt").write_text(agency.token + "\n", encoding="utf-8")
        self.environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}

    def write_settings(self):
        text = "".join(f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())
                       for section, values in self.settings.items())
        (self.folder / "kit.ini").write_text(text, encoding="utf-8")

    def start(self, *words):
        self.write_settings()
        command = [sys.executable, KIT / "kit.py", *words, "--config", self.folder / "kit.ini"]
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env=self.environment)

    def kit(self, *words, status=0):
        process = self.start(*words)
        said = process.communicate(timeout=2 * WATCHDOG_S)[0]
        assert process.returncode == status, said
        return said

    def drop(self, name, rows, encoding="utf-8-sig", delimiter=","):
        (self.files / "in").mkdir(parents=True, exist_ok=True)
        part = self.files / "in" / (name + ".part")
        head = list(dict.fromkeys(column for row in rows for column in row))
        with open(part, "w", encoding=encoding, newline="") as file:
            writer = csv.DictWriter(file, head, delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
        os.replace(part, part.with_name(name))

    def table(self, *names):
        with open(self.files.joinpath(*names), encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def referrals(self):
        """Returns the referrals of this council's system in the register: (reference, ID), with repetitions."""
        found, query = [], f"source_system={self.system}&limit=200"
        page = self.agency.send("listReferrals", query=query).expect(200)
        while True:
            found += [(one["source_reference"], one["id"]) for one in page["items"]]
            if page["next"] is None:
                return sorted(found)
            page = self.agency.follow(page["next"]).expect(200)


class Reporting:
    """A reporting database. Its owner inserts rows; the kit has the role learning_reviews_kit."""

    def __init__(self, cluster, council):
        self.cluster, self.database = cluster, f"reporting_{uuid.uuid4().hex[:8]}"
        cluster.execute(f"create database {self.database}")
        self.execute((KIT / "staging-postgresql.sql").read_text(encoding="utf-8"))
        council.settings["database"] = {
            "connection": f"host={cluster.folder} user=learning_reviews_kit dbname={self.database}"}

    def execute(self, statement, *values):
        return self.cluster.execute(statement, values or None, database=self.database)

    def insert(self, *rows):
        for row in rows:
            self.execute(f"insert into learning_reviews_kit.referral_row ({', '.join(row)}) "
                         f"values ({', '.join(['%s'] * len(row))})", *row.values())

    def rows(self, *names):
        return self.execute(f"select {', '.join(names)} from learning_reviews_kit.referral_row order by id")

    def remove(self):
        self.cluster.execute(f"drop database {self.database} with (force)")


