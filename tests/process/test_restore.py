"""Backup and restore by deploy/README.md: all data is restored, and the register continues where it was."""
import json
import re
import subprocess
import time
import urllib.request

import pytest

from client import ALL_SCOPES, Client
from cluster import DATABASE, Cluster, initialise
from load_generator import ROOT, Load, seconds_until, token_of
from payloads import new_referral
from scenarios import make_action, make_case
from service import Instance


def documented_commands():
    """Returns the lines of the manual's section on backups, with the operator's values filled in."""
    text = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^## Backup and restore$.*?```sh\n(.*?)```", text, re.DOTALL | re.MULTILINE)[1]
    lines = [line.strip().split("  #")[0].strip() for line in block.splitlines()]
    return [line for line in lines if line]


def run(line, cluster, instance, folder):
    """Runs a documented line against a cluster, otherwise unchanged."""
    line = line.replace("learning-reviews --config FILE", instance.binary)
    environment = {**instance.environment, "PATH": f"{cluster.programs}:{instance.environment['PATH']}",
                   "PGHOST": str(cluster.folder), "PGUSER": "postgres"}
    line = re.sub(r"(?<=[ =])register(?=\s|$)", DATABASE, line)
    done = subprocess.run(["bash", "-ec", line], env=environment, cwd=folder, capture_output=True, timeout=120,
                          check=False)
    assert done.returncode == 0, f"{line}: {done.stderr.decode()}{done.stdout.decode()}"
    return done.stdout.decode()


def contents(cluster):
    """Returns count and digest of every table of the register."""
    tables = [row[0] for row in cluster.execute("select tablename from pg_tables where schemaname = 'register' order by 1")]
    return {name: cluster.execute(f"select count(*), md5(string_agg(t::text, '|' order by t::text)) from register.{name} t")[0]
            for name in tables}


def whole_feed(instance, token, target="/v1/changes?limit=500"):
    """Returns all events from a position, and the position after them."""
    events, more = [], True
    while more:
        ask = urllib.request.Request(instance.url + target, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(ask, timeout=10) as answer:
            page = json.load(answer)
        events += page["items"]
        more, target = page["more"], "/" + page["next"].split("/", 3)[3]
    return events, target


# All entries of the audit trail are sealed.
ALL_SEALED = """select h.number = (select max(number) from register.audit_entry) and h.next_number = s.last_value
    from register.audit_head h, register.audit_number s"""


@pytest.fixture
def empty_cluster():
    made = Cluster(initialise)
    yield made
    made.remove()


def test_a_backup_is_restored_completely(serving, cluster, empty_cluster, keys, tmp_path):
    old = serving(cluster)
    with Load(old, token_of(old), 4):
        time.sleep(0.7)
    board = Client(old.url, token_of(old, "CPC-GLA", ALL_SCOPES), None,
                   lambda organisation, client: Client(old.url, token_of(old, organisation, ALL_SCOPES, client)))
    make_action(board, make_case(board, "decision"))
    sender = board.of("LA-S12000049", "drill")
    document = new_referral()
    told = sender.send("pushReferral", document, key="before-the-backup").expect(201)
    time.sleep(0.7)  # the feed is complete
    seconds_until(lambda: cluster.execute(ALL_SEALED) == [(True,)], 10)
    token = token_of(old)
    before, (events, position) = contents(cluster), whole_feed(old, token)

    lines = documented_commands()
    new_instance = Instance(empty_cluster, keys, LR_MIGRATION_DATABASE=empty_cluster.connection_string("migrator"))
    began = time.monotonic()
    for line in lines:
        source = line.startswith("pg_dump")
        run(line, cluster if source else empty_cluster, old if source else new_instance, tmp_path)
    took = time.monotonic() - began

    after = contents(empty_cluster)
    changed = [name for name in before if after.get(name) != before[name] and name != "schema_file"]
    assert changed == [] and set(after) == set(before)
    assert "in order" in Instance(empty_cluster, keys).run("check", "audit")
    new = serving(empty_cluster)
    assert whole_feed(new, token)[0] == events and len(events) > 20
    assert whole_feed(new, token, position)[0] == []
    again = Client(new.url, sender.token)
    assert again.send("pushReferral", document, key="before-the-backup")["id"] == told["id"]
    fresh = again.send("pushReferral", new_referral()).expect(201)
    time.sleep(0.7)
    news, _ = whole_feed(new, token, position)
    assert [one["subject_id"] for one in news] == [fresh["id"]]
    print(f"\nbackup and restore of {sum(count for count, _ in before.values())} rows in {len(before)} tables: {took:.1f} s; "
          f"{len(events)} events of the feed equal, and the next one follows them")
