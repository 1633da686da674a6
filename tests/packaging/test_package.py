"""The Debian package: its content, its effect on a machine, and the service that it runs."""
import hashlib
import os
import re
import shutil
import subprocess

import pytest

from commands import ROOT, box, make_package, run
from service import program

UNITS = ["learning-reviews.service", "learning-reviews-migrate.service"]
BACKUP_UNITS = ["learning-reviews-backup@.service", "learning-reviews-backup-check.service",
                *(f"learning-reviews-backup-{each}.timer" for each in ("full", "diff", "check"))]
INSTALL = "set -e; export DEBIAN_FRONTEND=noninteractive; dpkg -i /box/learning-reviews_*.deb >/dev/null 2>&1\n"


def field(package, name):
    return run("dpkg-deb", "-f", package, name).stdout.strip()


def test_it_contains_an_operators_files_with_the_right_modes(package):
    lines = run("dpkg-deb", "-c", package).stdout.splitlines()
    found = {words[5][1:]: (words[0], words[1]) for words in map(str.split, lines)}
    plain, secret = ("-rw-r--r--", "root/root"), ("-rw-------", "root/root")
    wanted = {
        "/usr/bin/learning-reviews": ("-rwxr-xr-x", "root/root"),
        "/etc/learning-reviews/learning-reviews.conf": secret,
        "/etc/learning-reviews/migrate.conf": secret,
        **{f"/usr/lib/systemd/system/{unit}": plain for unit in UNITS},
        "/usr/lib/sysusers.d/learning-reviews.conf": plain,
        "/usr/share/man/man8/learning-reviews.8.gz": plain,
        "/usr/share/bash-completion/completions/learning-reviews": plain,
        "/usr/share/lintian/overrides/learning-reviews": plain,
        **{f"/usr/share/doc/learning-reviews/{name}": plain for name in (
            "README.md", "deploy/README.md", "deploy/CHANGELOG.md", "openapi.yaml", "changelog.gz", "copyright",
            "observability/dashboard.json", "observability/alerts.yml", "backup/README.md", "backup/pgbackrest.conf",
            "backup/postgresql.conf", *(f"backup/{unit}" for unit in BACKUP_UNITS))},
    }
    assert {path: how for path, how in found.items() if not path.endswith("/")} == wanted


@pytest.mark.skipif("LR_PACKAGE" in os.environ, reason="a package made elsewhere, at another time")
def test_it_is_reproducible_bit_by_bit(package, tmp_path):
    again = make_package(tmp_path / "deeper" / "source", tmp_path / "package")
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(package.read_bytes()).digest()


def test_it_depends_on_the_libraries_that_the_program_uses(package, unpacked):
    needed = run("objdump", "-p", unpacked / "usr/bin/learning-reviews").stdout
    libraries = set(re.findall(r"NEEDED +(\S+)", needed)) - {"libm.so.6", "ld-linux-x86-64.so.2"}  # part of libc6
    depends = field(package, "Depends").split(", ")
    assert all(re.fullmatch(r"[a-z0-9.+-]+ \(>= [^)]+\)", each) for each in depends), depends
    assert len(depends) == len(libraries) and not [each for each in depends if "-dev" in each]
    assert {"libc6", "libpq5", "libssl3", "libulfius2.7"} <= {each.split()[0] for each in depends}


def test_its_version_is_that_of_the_program(package, unpacked):
    said = run(unpacked / "usr/bin/learning-reviews", "version").stdout
    assert said.startswith(f"learning-reviews {field(package, 'Version')}, contract ")


def test_its_settings_are_kept_on_upgrades(package):
    conffiles = run("dpkg-deb", "-I", package, "conffiles").stdout.split()
    assert conffiles == ["/etc/learning-reviews/learning-reviews.conf", "/etc/learning-reviews/migrate.conf"]


def test_lintian_reports_nothing(package):
    looked = run("lintian", "--allow-root", "--fail-on", "error,warning", package)
    assert (looked.returncode, looked.stdout.strip()) == (0, "")


@pytest.mark.parametrize("unit", [*(f"lib/systemd/system/{unit}" for unit in UNITS),
                                  *(f"share/doc/learning-reviews/backup/{unit}" for unit in BACKUP_UNITS[:2])])
def test_the_units_limit_an_intruder(unpacked, unit):
    """systemd's own score, from 0 to 10; the threshold is in tenths."""
    looked = run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager",
                 unpacked / "usr" / unit)
    exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", looked.stdout)[1])
    assert (looked.returncode, exposure < 2.0) == (0, True), looked.stdout


def test_the_units_are_well_formed(package):
    names = [*UNITS, *BACKUP_UNITS[1:], "learning-reviews-backup@full.service"]
    verified = box(f"{INSTALL}cp /usr/share/doc/learning-reviews/backup/learning-reviews-backup* /lib/systemd/system\n"
                   f"systemd-analyze verify {' '.join('/lib/systemd/system/' + unit for unit in names)}", package)
    assert (verified.returncode, verified.stdout) == (0, "")


def test_it_can_be_installed_upgraded_and_removed(package):
    done = box(INSTALL + """
        id -u learning-reviews >/dev/null; getent passwd learning-reviews | grep -q ':/usr/sbin/nologin$'
        runuser -u learning-reviews -- test ! -r /etc/learning-reviews/learning-reviews.conf
        su -s /bin/sh learning-reviews -c 'learning-reviews version' | grep '^learning-reviews '
        man -w learning-reviews
        echo secret >/etc/learning-reviews/pseudonym-key
        echo LR_LOG_LEVEL=debug >>/etc/learning-reviews/learning-reviews.conf
        dpkg -i /box/learning-reviews_*.deb
        tail -n 1 /etc/learning-reviews/learning-reviews.conf
        dpkg --purge learning-reviews >/dev/null 2>&1
        find /etc/learning-reviews /usr/share/doc/learning-reviews /usr/bin/learning-reviews 2>/dev/null || true
        """, package)
    assert done.returncode == 0, done.stdout
    for line in ("/usr/share/man/man8/learning-reviews.8.gz", "LR_LOG_LEVEL=debug",
                 "learning-reviews: start learning-reviews-migrate, then restart learning-reviews."):
        assert line in done.stdout.splitlines(), done.stdout
    assert done.stdout.split()[-2:] == ["/etc/learning-reviews", "/etc/learning-reviews/pseudonym-key"]


SERVICE = INSTALL + r"""
set +e
state() { systemctl show -P "$2" "$1"; }
pid() { state learning-reviews MainPID; }
await() { for i in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; echo "gave up: $*"; }
systemctl start learning-reviews 2>/dev/null; echo "without a key: $(state learning-reviews AssertResult)"
(umask 077; head -c 48 /dev/urandom | base64 -w 0 >/etc/learning-reviews/pseudonym-key)
systemctl start learning-reviews 2>/dev/null
echo "not filled in: $(state learning-reviews ActiveState) $(state learning-reviews ExecMainStatus)"

bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
install -d -o postgres /run/database
runuser -u postgres -- "$bin/initdb" -D /run/database/data -A trust >/dev/null
printf "unix_socket_directories='/run/database'\nlisten_addresses=''\n" >>/run/database/data/postgresql.conf
runuser -u postgres -- "$bin/pg_ctl" -D /run/database/data -l /run/database/log -w start >/dev/null
runuser -u postgres -- psql -q -h /run/database -c 'create database register' postgres
mv /box/jwks.json /etc/learning-reviews/
echo 'LR_MIGRATION_DATABASE=host=/run/database dbname=register user=postgres' >>/etc/learning-reviews/migrate.conf
cat >>/etc/learning-reviews/learning-reviews.conf <<'END'
LR_DATABASE=host=/run/database dbname=register user=register_service
LR_ISSUER=https://identity.example.org
LR_JWKS_FILE=/etc/learning-reviews/jwks.json
LR_DRAIN_GRACE_SECONDS=0
END
systemctl start learning-reviews-migrate; echo "migrated: $?"
learning-reviews --config /etc/learning-reviews/learning-reviews.conf check >/dev/null 2>&1; echo "checked: $?"
systemctl start learning-reviews; echo "started: $?"
"""
LIFE = SERVICE + r"""
learning-reviews check --health
echo "credentials: $(stat -c '%U %a' /run/credentials/learning-reviews.service/pseudonym-key)"
echo "files: $(stat -c '%U %a' /etc/learning-reviews/pseudonym-key)"
grep -E '^(CapBnd|NoNewPrivs|Seccomp):' "/proc/$(pid)/status" | tr '\t' ' '
systemctl reload learning-reviews; await eval 'journalctl -u learning-reviews | grep "reading the keys again"'
kill -KILL "$(pid)"; await eval '[ "$(state learning-reviews NRestarts)" = 1 ]'
await learning-reviews check --health; echo "restarts: $(state learning-reviews NRestarts)"
systemctl stop learning-reviews; echo "ended: $(state learning-reviews Result) $(state learning-reviews ActiveState)"
dpkg --purge learning-reviews >/dev/null 2>&1; echo "purged: $?"
"""

JWKS = """{"keys": [{"kty": "EC", "kid": "a", "alg": "ES256", "use": "sig", "crv": "P-256",
  "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"""


def test_it_runs_under_systemd_from_the_first_start_to_its_removal(package, tmp_path):
    (tmp_path / "jwks.json").write_text(JWKS)
    (tmp_path / "jwks.json").chmod(0o644)
    life = box(LIFE, package, tmp_path / "jwks.json", systemd=True)
    assert life.stdout.splitlines() == [
        "without a key: no",
        "not filled in: failed 78",
        "migrated: 0",
        "checked: 0",
        "started: 0",
        '{"ready":true,"database":true,"keys":true,"draining":false}',
        "credentials: learning-reviews 400",
        "files: root 600",
        "CapBnd: 0000000000000000",
        "NoNewPrivs: 1",
        "Seccomp: 2",
        "restarts: 1",
        "ended: success inactive",
        "purged: 0",
    ], life.stdout


def commands_of(section):
    """Returns the commands of a section of the handbook."""
    text = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.search(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]


@pytest.fixture
def next_package(package, tmp_path):
    """The package of the next version, which has one more migration."""
    tree, made = tmp_path / "tree", tmp_path / "next.deb"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    shutil.copy2(f"{program()}-next", tree / "usr" / "bin" / "learning-reviews")
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub("^Version: .*$", "Version: 99", control.read_text(), flags=re.MULTILINE))
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, made], check=True, capture_output=True)
    return made


def test_the_handbook_s_upgrade_and_rollback_run_under_systemd(package, next_package, tmp_path):
    (tmp_path / "jwks.json").write_text(JWKS)
    (tmp_path / "jwks.json").chmod(0o644)
    commands = f"{commands_of('Upgrade')}learning-reviews version\n{commands_of('Roll back')}learning-reviews version\n"
    for name, path in (("NEW", next_package), ("FORMER", package)):
        commands = commands.replace(f"learning-reviews_{name}_amd64.deb", f"/box/{path.name}")
    done = box(f"{SERVICE}set -e; export PGHOST=/run/database PGUSER=postgres; cd /run/database\n{commands}",
               package, next_package, tmp_path / "jwks.json", systemd=True)
    assert done.returncode == 0 and "gave up" not in done.stdout, done.stdout
    versions = re.findall("^learning-reviews .*, schema (.*)$", done.stdout, re.MULTILINE)
    assert len(versions) == 3 and versions[0] == versions[2] != versions[1], done.stdout
    assert "the database keeps this program's version of the code: it may be served." in done.stdout
