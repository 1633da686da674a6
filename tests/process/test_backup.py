"""The loss of a large register, and its recovery to a point in time with pgBackRest, by deploy/backup/README.md.

LR_BACKUP_REFERRALS is the number of referrals in the register before the backup (1,000,000). Clients push during the
backup. The drill runs the guide's commands, with the folders of this test.
"""
import os
import re
import shutil
import subprocess
import time

import pytest
import requests

from cluster import DATABASE, Cluster, migrated
from load_generator import ROOT, Load, acknowledged, seconds_until, stored, token_of
from replicas import kill_postgres
from service import Instance, Secrets
from test_restore import ALL_SEALED, whole_feed

BACKUP = ROOT / "deploy" / "backup"
REFERRALS = int(os.environ.get("LR_BACKUP_REFERRALS", "1000000"))
LONGEST_S = 1800
ARCHIVED_WITHIN_S = 120  # archive_timeout is 60 s
SEED = """
insert into register.referral (id, reference, source_organisation, source_system, source_reference, source_role,
    committee, local_authority, incident_kind, aware_on, notified_on, received_on, children, criteria_claimed, basis,
    immediate_concerns, agencies_involved, parallel_processes, other_committees, discussed_with_partners,
    guidance_edition, pushed_hash)
select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'RF-' || n, 'LA-S12000049', 'seed', 'seed-' || n,
    'agency', 'GLA', 'S12000049', 'accumulation', date '2020-01-01' + n %% 2000, date '2020-01-02' + n %% 2000,
    date '2020-01-02' + n %% 2000,
    jsonb_build_array(jsonb_build_object('child_ref', md5(n::text), 'outcome', 'significant_harm', 'age_band', '5_10',
        'sex', 'female')),
    '{abuse_or_neglect}', 'Several services see learning for how they work together.', 'none', '{}', '{}', '{}', true,
    'child_2024', md5((n + 1)::text)
from generate_series(1, %s) n"""
DIGEST = """select count(*), sum(hashtextextended(t::text, 0)) from register.referral t
    where source_system = 'seed'"""
ARCHIVED = "select coalesce(last_archived_wal, '') >= pg_walfile_name(%s) from pg_stat_archiver"


def commands(heading):
    """Returns the lines of the first block of commands below a heading of the guide, without comments."""
    text = (BACKUP / "README.md").read_text(encoding="utf-8")
    block = re.search(rf"^## {heading}$.*?```sh\n(.*?)```", text, re.DOTALL | re.MULTILINE)[1]
    joined = re.sub(r"(\\|(?<=\|))\n +", " ", block)
    return [line for line in joined.splitlines() if not line.startswith("#")]


class Machine:
    """A database server with the shipped configuration in folders of its own, and the keys of its instances."""

    def __init__(self, keys, monkeypatch, elsewhere):
        self.keys = keys
        self.elsewhere = elsewhere  # a folder that survives the loss
        monkeypatch.setenv("PGCTLTIMEOUT", str(LONGEST_S))
        monkeypatch.setenv("PGBACKREST_CONFIG", str(BACKUP / "pgbackrest.conf"))
        self.environment = monkeypatch
        self.cluster = Cluster(self.fill)

    def fill(self, cluster):
        """Makes a migrated cluster, and points pgBackRest at its folders."""
        migrated(cluster)
        self.passphrase = cluster.folder / "passphrase"
        self.passphrase.mkdir(mode=0o755)
        (self.passphrase / "passphrase.conf").write_text("[global]\nrepo1-cipher-pass=of the drill\n", encoding="utf-8")
        log = cluster.folder / "pgbackrest"
        log.mkdir()
        shutil.chown(log, cluster.folder.owner(), cluster.folder.group())
        for name, folder in (("REPO1", "repository"), ("SPOOL", "spool"), ("LOCK", "lock"), ("LOG", "pgbackrest"),
                             ("PG1", "data"), ("PG1_SOCKET", ".")):
            self.environment.setenv(f"PGBACKREST_{name}_PATH", str(cluster.folder / folder))
        self.environment.setenv("PGBACKREST_CONFIG_INCLUDE_PATH", str(self.passphrase))

    def perform(self, line):
        """Runs a line of the guide. Only names of this test's folders, database and server differ."""
        own = {"systemctl stop learning-reviews": None, "systemctl stop postgresql@15-main": None,  # they are dead
               "systemctl start postgresql@15-main": self.cluster.start,
               "systemctl restart postgresql@15-main": self.restart,
               "install -m 0644 postgresql.conf /etc/postgresql/15/main/conf.d/backup.conf": self.configure}
        if line in own:
            return own[line] and own[line]()
        user = f"runuser -u {self.cluster.user} -- " if self.cluster.user else ""
        for name, ours in (("/var/lib/postgresql/15/main", self.cluster.data), ("-d register", f"-d {DATABASE}"),
                           ("runuser -u postgres -- ", user), (" etc/learning-reviews", f" .{self.keys.folder}"),
                           (" etc/pgbackrest", f" .{self.passphrase}")):
            line = line.replace(name, str(ours))
        done = subprocess.run(["bash", "-ec", line], cwd=self.elsewhere if "openssl" in line else "/", check=False,
                              capture_output=True, timeout=LONGEST_S,
                              env={**os.environ, "PGHOST": str(self.cluster.folder), "PGUSER": "postgres"})
        assert done.returncode == 0, f"{line}: {done.stderr.decode()}{done.stdout.decode()}"
        return done.stdout.decode()

    def configure(self):
        with open(self.cluster.data / "postgresql.conf", "a", encoding="utf-8") as settings:
            settings.write((BACKUP / "postgresql.conf").read_text(encoding="utf-8"))

    def restart(self):
        self.cluster.stop("fast")
        self.cluster.start()

    def pgbackrest(self, words):
        return self.perform(f"runuser -u postgres -- pgbackrest --stanza=register {words}")

    def lose(self):
        """Ends all processes at once and removes the data and the keys."""
        kill_postgres(self.cluster.data)
        shutil.rmtree(self.cluster.data)
        shutil.rmtree(self.passphrase)
        self.keys.pseudonym_file.unlink()
        self.keys.webhook_file.unlink()

    def archive_until(self, place):
        """Returns the seconds until the repository has the log up to this place, without a request to switch."""
        return seconds_until(lambda: self.cluster.execute(ARCHIVED, (place,))[0][0], ARCHIVED_WITHIN_S)


@pytest.fixture
def keys():
    made = Secrets()
    yield made
    shutil.rmtree(made.folder)


@pytest.fixture
def machine(keys, monkeypatch, tmp_path):
    made = Machine(keys, monkeypatch, tmp_path)
    yield made
    made.cluster.remove()


def seed(cluster):
    with cluster.open() as link, link.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")  # no triggers
        cursor.execute(SEED, (REFERRALS,))
        link.commit()
    cluster.execute("vacuum analyze register.referral")


def pushed_while(instance, token, event):
    """Pushes until the event is over. Returns its result and what was acknowledged."""
    with Load(instance, token, 4, pause=0.02) as load:
        time.sleep(1)
        result = event()
        time.sleep(1)
    return result, acknowledged(load.outcomes())


def refused_with_another_key(machine):
    """A service with another pseudonym key does not start."""
    other = machine.keys.folder / "other"
    other.write_bytes(os.urandom(48))
    other.chmod(0o600)
    instance = Instance(machine.cluster, machine.keys, LR_PSEUDONYM_KEY_FILE=other)
    done = subprocess.run([instance.binary, "serve"], env=instance.environment, capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == 78 and b"another key than the register has used" in done.stderr, done.stderr


def restored(machine, target):
    """Follows the guide from the loss to the start of the service. Returns the seconds until the database has all data.
    """
    for line in commands("Keys and settings"):
        if "-decrypt" in line:
            machine.perform(line)
    began = time.monotonic()
    for line in commands("Restore to a point in time"):
        machine.perform(re.sub("--target='[^']*'", f"--target='{target}'", line))
    took = time.monotonic() - began
    for line in commands("Before the service starts"):
        if line.startswith("runuser"):
            machine.perform(line)
    return took


def begins_again(instance, token, positions):
    """Followers of the feed must take a snapshot, whatever position they had, and miss nothing afterwards."""
    headers = {"Authorization": f"Bearer {token}"}
    for position in positions:
        answer = requests.get(instance.url + position, headers=headers, timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (410, "cursor_expired")
    page = requests.get(f"{instance.url}/v1/changes/snapshot?limit=1", headers=headers, timeout=60).json()
    assert len(page["items"]) == 1
    _, position = whole_feed(instance, token)
    _, told = pushed_while(instance, token, lambda: None)
    seen = set()
    seconds_until(lambda: set(told.values()) <= seen.union(
        one["subject_id"] for one in whole_feed(instance, token, position)[0]), 30)


def test_a_lost_register_returns_to_a_point_in_time(machine, keys):
    cluster = machine.cluster
    seed(cluster)
    digest = cluster.execute(DIGEST)
    for line in commands("Set up"):
        if "pgbackrest --stanza" in line or "postgresql" in line:
            machine.perform(line)
    instance = Instance(cluster, keys).start()
    try:
        token = token_of(instance)

        def back_up():
            began = time.monotonic()
            machine.pgbackrest("--type=full backup")
            full = time.monotonic() - began
            machine.pgbackrest("--type=diff backup")
            return full, time.monotonic() - began - full
        (full, differential), during = pushed_while(instance, token, back_up)
        _, after_it = pushed_while(instance, token, lambda: None)
        kept = {**during, **after_it}
        seconds_until(lambda: cluster.execute(ALL_SEALED) == [(True,)], 30)
        positions = [whole_feed(instance, token)[1]]
        target = cluster.execute("select clock_timestamp()::text")[0][0]
        (place, archived), lost = pushed_while(instance, token, lambda: archived_later(machine))
        positions.append(whole_feed(instance, token)[1])
        anchor = re.search(r"anchor: (\S+)", instance.run("check", "audit"))[1]
        for line in commands("Keys and settings"):
            if "-encrypt" in line or "openssl req" in line:
                machine.perform(line)
        instance.errors_expected = True
        machine.lose()
    finally:
        instance.stop()

    took = restored(machine, target)
    there = {name: number for name, number in stored(cluster).items() if not name.startswith("seed-")}
    assert there == kept and not set(there) & set(lost) and min(len(during), len(after_it), len(lost)) > 20
    assert cluster.execute(DIGEST) == digest and digest[0][0] == REFERRALS
    refused_with_another_key(machine)
    assert "FAULT" not in instance.run("check")
    assert "in order" in instance.run("check", "audit")
    shorter = subprocess.run([instance.binary, "check", "audit", "--anchor", anchor], env=instance.environment,
                             capture_output=True, timeout=60, check=False)
    assert shorter.returncode == 1 and b"before the anchor" in shorter.stdout + shorter.stderr
    new = Instance(cluster, keys).start()
    try:
        begins_again(new, token, positions)
        machine.pgbackrest("check")  # the new timeline is archived as well
    finally:
        new.stop()
    print(f"\n{REFERRALS} referrals, {len(kept)} pushes kept ({len(during)} during the backups), {len(lost)} after the "
          f"target removed; full backup {full:.0f} s, differential {differential:.0f} s, log archived up to {place} "
          f"after {archived:.0f} s, restored in {took:.0f} s")


def archived_later(machine):
    """Waits until the log that exists now is archived. Returns its place, and the seconds."""
    place = machine.cluster.execute("select pg_current_wal_lsn()::text")[0][0]
    return place, machine.archive_until(place)
