"""deploy/run: it checks before it changes anything, finds its own service and database, and reports its steps.

Run as root or as a user, on a machine that has the packages, with a built program and separate ports.
"""
import contextlib
import ctypes
import fcntl
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import pytest

from commands import ROOT, run
from cluster import find_programs
from service import free_port, program

RUN = ROOT / "deploy" / "run"
LIBRARY = ROOT / "deploy" / "lib"
PATIENCE = 60
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, prctl(2)


def words_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return [""]


def processes(*words):
    """Returns the processes whose command line begins so; a zombie has none."""
    found = (int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*"))
    return [pid for pid in found if words_of(pid)[:len(words)] == list(map(str, words))]


class Deployment:
    def __init__(self, folder):
        self.state = folder / "state"
        self.port, self.admin_port = free_port(), free_port()
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "LR_STATE": str(self.state), "LR_DEMO": "0",
            "LR_BINARY": str(program()), "LR_LISTEN": f"127.0.0.1:{self.port}",
            "LR_ADMIN_LISTEN": f"127.0.0.1:{self.admin_port}", "LR_DRAIN_GRACE_SECONDS": "0", "LR_DRAIN_SECONDS": "1"}

    def run(self, *words, environment=None, **options):
        return run(RUN, *words, env={**self.environment, **(environment or {})}, **options)

    def start(self, **environment):
        done = self.run(environment=environment)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def service(self):
        return processes(self.state / "bin" / "learning-reviews", "serve")

    def database(self):
        return processes(find_programs() / "postgres", "-D", self.state / "data")

    def is_ready(self, admin_port=None):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin_port or self.admin_port}/readyz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def query(self, statement):
        """Returns the answer of the private database, asked as its owner."""
        words = [find_programs() / "psql", "-XAtq", "-h", self.state / "socket", "-U", "postgres",
                 "-d", "learning_reviews", "-c", statement]
        if os.geteuid() == 0:
            words = ["runuser", "-u", "learning-reviews", "--", *words]
        return run(*words, cwd="/").stdout.strip()


@pytest.fixture(scope="module")
def orphans():
    """As in a container whose first process does not wait for children: ended processes stay as zombies of these tests.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(SUBREAPER, 1, 0, 0, 0) == 0
    yield
    libc.prctl(SUBREAPER, 0, 0, 0, 0)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass


@pytest.fixture(scope="module")
def folder():
    # The path is short and every user may enter it: it is the path of the database's socket, too.
    made = pathlib.Path(tempfile.mkdtemp(prefix="lr-run-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    # A failed test must not leave a daemon behind.
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        if any(word.startswith(f"{made}/") for word in words_of(path.name)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(path.name), signal.SIGKILL)
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def deployment(folder, orphans):
    made = Deployment(folder)
    made.output = made.start()
    yield made
    stopped = made.run("--reset", "--yes")
    assert (stopped.returncode, made.service(), made.database(), made.state.exists()) == (0, [], [], False), (
        stopped.stdout)


@pytest.fixture
def running(deployment):
    """A running register, whatever state the previous test left."""
    if not (deployment.service() and deployment.is_ready()):
        deployment.start()
    return deployment


@pytest.fixture
def taken():
    """A port that another program uses."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen(1)
        yield other.getsockname()[1]


def bash(script, *words, **options):
    """Runs a script with the functions of deploy/run."""
    parts = "say process state packages cluster service".split()
    begin = "set -euo pipefail\n" + "".join(f". {LIBRARY}/{part}.sh\n" for part in parts)
    return run("bash", "-c", begin + script, "bash", *words, **options)


# --- a failed start does not stop the running service (E1)

REFUSED = {
    "taken port": ({"LR_LISTEN": "127.0.0.1:TAKEN"}, "is taken by another program"),
    "taken admin port": ({"LR_ADMIN_LISTEN": "127.0.0.1:TAKEN"}, "is taken by another program"),
    "no port": ({"LR_LISTEN": "localhost"}, "LR_LISTEN must be HOST:PORT; it is localhost"),
    "only a port": ({"LR_LISTEN": "8080"}, "LR_LISTEN must be HOST:PORT; it is 8080"),
    "port out of range": ({"LR_ADMIN_LISTEN": "127.0.0.1:65536"}, "LR_ADMIN_LISTEN must be HOST:PORT"),
    "one port for both": ({"LR_ADMIN_LISTEN": "127.0.0.1:1", "LR_LISTEN": "127.0.0.1:1"}, "have the same port"),
    "address of another machine": ({"LR_LISTEN": "192.0.2.1:PORT"}, "Cannot assign requested address"),
    "no certificate": ({"LR_TLS_CERTIFICATE_FILE": "/nonexistent", "LR_TLS_KEY_FILE": "/nonexistent"},
                       "LR_TLS_CERTIFICATE_FILE: /nonexistent is not there, or cannot be read"),
    "what is no certificate": ({"LR_TLS_CERTIFICATE_FILE": "/dev/null", "LR_TLS_KEY_FILE": "/dev/null"},
                               "/dev/null cannot be read as a certificate in PEM"),
    "certificate without key": ({"LR_TLS_CERTIFICATE_FILE": "/dev/null"}, "set both or neither"),
    "relative path": ({"LR_PSEUDONYM_KEY_FILE": "key"}, "LR_PSEUDONYM_KEY_FILE must be a path from the root"),
    "weak key": ({"LR_PSEUDONYM_KEY_FILE": "/dev/null"}, "LR_PSEUDONYM_KEY_FILE"),
    "public address": ({"LR_PUBLIC_URL": "register.example"}, "does not begin with https:// or http://"),
    "unknown setting": ({"LR_WORKER": "1"}, "LR_WORKER"),
    "bad number": ({"LR_WORKERS": "0"}, "LR_WORKERS"),
    "database away": ({"LR_DATABASE": "host=/nonexistent"}, "LR_DATABASE: the database cannot be reached"),
    "issuer away": ({"LR_JWKS_URL": "http://127.0.0.1:1/"}, "LR_JWKS_URL: http://127.0.0.1:1/ gave no key set"),
    "program missing": ({"LR_BINARY": "/nonexistent"}, "LR_BINARY: /nonexistent is no program"),
    "program that does not run": ({"LR_BINARY": "/bin/false"}, "The service could not start so"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_failed_start_leaves_the_running_service(running, taken, name):
    changes, said = REFUSED[name]
    changes = {setting: value.replace("TAKEN", str(taken)).replace("PORT", str(running.port))
               for setting, value in changes.items()}
    before = running.service()
    refused = running.run(environment=changes)
    assert (refused.returncode, said in refused.stdout) == (1, True), refused.stdout
    assert (running.service(), running.is_ready()) == (before, True)
    assert "Stopping" not in refused.stdout


def test_running_it_again_leaves_the_running_service(running):
    assert running.run(environment={"LR_PUBLIC_URL": "register.example"}).returncode == 1
    before = running.service()
    assert "The service is running and up to date" in running.start()
    assert running.service() == before


def test_new_settings_replace_the_old_ones(running):
    before = running.service()
    output = running.start(LR_WORKERS="8")
    assert "Stopping the service" in output and running.service() != before and running.is_ready()


def test_ports_of_the_running_service_are_not_in_use_by_another_program(running):
    """Even when the two ports are swapped."""
    swapped = {"LR_LISTEN": running.environment["LR_ADMIN_LISTEN"], "LR_ADMIN_LISTEN": running.environment["LR_LISTEN"]}
    running.start(**swapped)
    assert running.is_ready(running.port)
    running.start()
    assert running.is_ready()


def test_a_renewed_certificate_is_read(running, folder):
    """The name is the same, the content is new."""
    for name in ("one", "two"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout",
                        folder / f"{name}.key", "-out", folder / f"{name}.crt", "-subj", f"/CN={name}"],
                       check=True, capture_output=True)
    files = {"LR_TLS_CERTIFICATE_FILE": str(folder / "tls.crt"), "LR_TLS_KEY_FILE": str(folder / "tls.key")}
    for name in ("one", "two"):
        for kind in ("key", "crt"):
            shutil.copy(folder / f"{name}.{kind}", folder / f"tls.{kind}")
            (folder / f"tls.{kind}").chmod(0o644)
        running.start(**files)
        shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{running.port}"], input=b"", check=False,
                               capture_output=True, timeout=PATIENCE).stdout
        assert f"CN = {name}".encode() in shown


# --- the first run (E2)

@pytest.mark.parametrize("name", ["taken port", "no port", "one port for both", "no certificate"])
def test_known_faults_are_reported_before_any_change(folder, taken, name):
    changes, said = REFUSED[name]
    fresh = Deployment(folder)
    fresh.state = folder / "fresh"
    fresh.environment["LR_STATE"] = str(fresh.state)
    refused = fresh.run(environment={setting: value.replace("TAKEN", str(taken)) for setting, value in changes.items()})
    assert (refused.returncode, said in refused.stdout) == (1, True), refused.stdout
    assert not re.search("Packages|Installing|Building|Making", refused.stdout)
    assert not fresh.state.exists()


def test_no_database_is_created_for_a_service_that_cannot_start(folder):
    fresh = Deployment(folder)
    fresh.state = folder / "fresh"
    fresh.environment["LR_STATE"] = str(fresh.state)
    try:
        refused = fresh.run(environment={"LR_PUBLIC_URL": "register.example"})
        assert (refused.returncode, (fresh.state / "data").exists(), fresh.database()) == (1, False, [])
    finally:
        assert fresh.run("--reset", "--yes").returncode == 0


# --- the server of PostgreSQL (E3)

@pytest.mark.parametrize("programs, chosen", [
    (["15/bin/initdb", "17/bin/psql"], "15"), (["9/bin/initdb", "15/bin/initdb"], "15"),
    (["15/bin/initdb", "16/bin/initdb", "17/bin/psql"], "16"), (["17/bin/psql"], None), ([], None)], ids=str)
def test_the_newest_server_is_used_not_a_newer_client(tmp_path, programs, chosen):
    for name in programs:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    found = bash('postgres_folder=$1 state=/nonexistent; cluster_find_programs; echo "$postgres_programs"', tmp_path)
    if chosen is None:
        assert found.returncode == 1 and "apt-get update && apt-get install postgresql" in found.stdout
    else:
        assert (found.returncode, found.stdout) == (0, f"{tmp_path}/{chosen}/bin\n")


# --- its own service and database (E4, E5)

def lose(deployment):
    (deployment.state / "run" / "service.pid").unlink()


def garble(deployment):
    (deployment.state / "run" / "service.pid").write_text("nobody\n")


def misdirect(deployment):
    (deployment.state / "run" / "service.pid").write_text(f"{os.getpid()}\n")


def lose_everything(deployment):
    shutil.rmtree(deployment.state / "run")


DAMAGES = [lose, garble, misdirect, lose_everything]


@pytest.mark.parametrize("damage", DAMAGES)
def test_its_own_service_is_found_without_the_pid_file(running, damage):
    damage(running)
    running.start(LR_WORKERS="4")
    assert (len(running.service()), running.is_ready()) == (1, True)


@pytest.mark.parametrize("damage", DAMAGES)
def test_its_own_service_is_stopped_without_the_pid_file(running, damage):
    if damage is lose_everything:
        (running.state / "run" / "fingerprint").unlink(missing_ok=True)
        (running.state / "run" / "addresses").unlink(missing_ok=True)
        lose(running)
    else:
        damage(running)
    stopped = running.run("--stop")
    assert (stopped.returncode, running.service(), running.database()) == (0, [], []), stopped.stdout
    assert running.run("--stop").returncode == 0


def test_a_service_of_another_state_folder_is_another_program(running, folder):
    other = Deployment(folder)
    other.state = folder / "other"
    other.environment.update(LR_STATE=str(other.state), LR_LISTEN=running.environment["LR_LISTEN"])
    refused = other.run()
    assert (refused.returncode, "is taken by another program" in refused.stdout) == (1, True)
    assert running.is_ready() and not other.state.exists()


class Impostor(http.server.BaseHTTPRequestHandler):
    """Answers everything with 200."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_another_program_that_answers_is_not_mistaken_for_the_service(folder):
    """As when that program takes the port between the check and the start."""
    (folder / "gone" / "run").mkdir(parents=True)
    (folder / "gone" / "log").mkdir()
    (folder / "gone" / "log" / "service.log").write_text("Address already in use\n")
    ended = subprocess.Popen(["true"])
    ended.wait()
    (folder / "gone" / "run" / "service.pid").write_text(f"{ended.pid}\n")
    with http.server.HTTPServer(("127.0.0.1", free_port()), Impostor) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        waited = bash('state=$1 program=$1/bin/learning-reviews service_user=$(id -un) admin=$2; service_wait',
                      folder / "gone", f"127.0.0.1:{other.server_port}")
        other.shutdown()
    assert (waited.returncode, "Address already in use" in waited.stdout) == (1, True), waited.stdout


def is_zombie(pid):
    return re.search(r"^State:\s+Z", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE) is not None


def kill(pid):
    """Kills it like a crash: it stays as a zombie, because these tests do not wait for it."""
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while not is_zombie(pid):
        assert time.monotonic() < deadline, words_of(pid)
        time.sleep(0.01)


def test_a_killed_postmaster_counts_as_dead_even_as_a_zombie(running):
    before = running.database()
    kill(before[0])
    output = running.start()
    assert is_zombie(before[0]) and "Starting the database" in output
    assert running.database() and running.query("select 1") == "1" and running.is_ready()


def test_a_killed_service_counts_as_dead_even_as_a_zombie(running):
    before = running.service()
    kill(before[0])
    output = running.start()
    assert is_zombie(before[0]) and "killing it" not in output
    assert len(running.service()) == 1 and running.is_ready()


def test_stopping_a_zombie_does_nothing(running):
    kill(running.database()[0])
    kill(running.service()[0])
    stopped = running.run("--stop")
    assert (stopped.returncode, running.service(), running.database()) == (0, [], [])
    assert "The service is not running" in stopped.stdout and "The database is not running" in stopped.stdout


def test_another_process_with_the_same_pid_is_not_the_postmaster(running):
    """After a crash of the machine, another process may have the number in the lock file."""
    kill(running.database()[0])
    lock = running.state / "data" / "postmaster.pid"
    other = running.service()[0]
    lock.write_text(re.sub(r"\A\d+", str(other), lock.read_text()))
    running.start()
    assert running.query("select 1") == "1" and running.is_ready()


# --- descriptors of the daemons

def test_daemons_inherit_no_descriptors_of_their_starter(running, folder):
    assert running.run("--stop").returncode == 0
    path = folder / "lock"
    with open(path, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = running.run(pass_fds=[lock.fileno()])
    assert started.returncode == 0, started.stdout
    with open(path, "w", encoding="utf-8") as again:
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)  # no process holds it any more
    if os.geteuid() == 0:
        for pid in running.service() + running.database():
            files = {os.readlink(each) for each in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
            assert str(path) not in files and str(running.state / "run" / "lock") not in files


# --- its output (B1, B2, B4), and the machine's own state (B3)

def test_the_first_run_is_short_and_reports_the_number_of_applied_files(deployment):
    """The baseline counts as one file, and so do triggers with policies, and the code."""
    files = [path for each in ("migrations/*.sql", "*/rows*.sql", "*/*.yaml") for path in (ROOT / "sql").glob(each)]
    assert re.search(rf"^   {len(files) + 3} files applied$", deployment.output, re.MULTILINE), deployment.output
    assert "applying" not in deployment.output and len(deployment.output) < 6000
    assert not re.search(r"ey[\w-]+\.ey", deployment.output), "tokens are in a file"


def test_a_failed_migration_reports_its_reason():
    told = bash("""eval "$(sed -n '/^migrate_progress()/,/^}/p' "$1")"
        printf 'applying a\\napplying b\\nwaiting for locks of b\\napplying c\\nb: it is wrong\\n' | migrate_progress""", RUN)
    assert told.stdout == "   2 files applied\n   waiting for locks of b\n   1 files applied\n   b: it is wrong\n"


def test_the_first_run_ends_with_addresses_and_three_commands_that_work(running):
    output = running.start(LR_DEMO="1")
    tokens = running.state / "tokens.env"
    end = output[output.index("== Ready\n"):].splitlines()
    assert [line.split()[0] for line in end[1:6]] == ["Documentation", "Dashboard", "Contract", "Tokens", "Stop"]
    assert len(end) == 11 and max(map(len, end)) < 120
    commands = end[end.index(f". {tokens}"):]
    assert [line.split()[0] for line in commands] == [".", "curl", "curl", "curl"]
    pasted = run("bash", "-euo", "pipefail", "-c", "\n".join(commands))
    caller, at = json.JSONDecoder().raw_decode(pasted.stdout)
    overdue, statistics = pasted.stdout[at:].split("table,committee,period", 1)
    assert (pasted.returncode, caller["organisation"]["code"]) == (0, "LA-S12000049")
    assert json.loads(overdue)["items"] and "\n" in statistics


def test_the_first_data_can_be_put_back(running):
    """The keys stay, so that tokens of before are still valid."""
    running.start()
    secret = (running.state / "keys" / "dev-secret").read_text()
    running.query("create table left_behind ()")
    refused = running.run("--renew")
    assert (refused.returncode, running.query("select to_regclass('left_behind')")) == (1, "left_behind")
    renewed = running.run("--renew", "--yes")
    assert renewed.returncode == 0, renewed.stdout
    assert (running.query("select to_regclass('left_behind')"), running.is_ready()) == ("", True)
    assert "files applied" not in renewed.stdout, "the copy has the schema"
    assert (running.state / "keys" / "dev-secret").read_text() == secret
    assert "LR_DATABASE" in running.run("--renew", "--yes", environment={"LR_DATABASE": "host=/nowhere"}).stdout


def test_the_file_of_tokens_is_private_and_has_one_for_each_role(running):
    running.start()
    tokens = running.state / "tokens.env"
    assert tokens.stat().st_mode & 0o777 == 0o600
    names = dict(line.split("=", 1) for line in tokens.read_text().splitlines()[1:])
    roles = re.findall(r'^    \{"([a-z-]+)",', (ROOT / "api/development_roles.c").read_text(), re.MULTILINE)
    assert names.pop("REGISTER") == f"http://127.0.0.1:{running.port}"
    assert set(names) == {role.replace("-", "_").upper() for role in roles}
    assert all(token.count(".") == 2 for token in names.values())


SAID_BY_APT = """Reading package lists...
The following NEW packages will be installed:
  {names}
0 upgraded, 45 newly installed, 0 to remove and 0 not upgraded.
Need to get 12.3 MB of archives.
After this operation, 99 MB of additional disk space will be used.
{lines}
"""


@pytest.fixture
def machine(folder):
    """A machine with a fake apt and dpkg: the apt commands are recorded, and the installed packages are given."""
    tmp_path = pathlib.Path(tempfile.mkdtemp(dir=folder))
    tmp_path.chmod(0o755)
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "sh", "cat", "tee", "tail", "rm", "mktemp", "mkdir", "sed", "env", "id"):
        (folder / name).symlink_to(shutil.which(name))
    lines = [*(f"Get:{i} http://deb.example.org bookworm/main amd64 p{i} amd64 1 [1 kB]" for i in range(1, 46)),
             *(f"Unpacking p{i} (1) ..." for i in range(1, 46)), *(f"Setting up p{i} (1) ..." for i in range(1, 46))]
    (tmp_path / "said").write_text(SAID_BY_APT.format(names=" ".join(f"p{i}" for i in range(45)), lines="\n".join(lines)))
    (folder / "dpkg-query").write_text(
        '#!/bin/sh\nfor each in $INSTALLED; do echo "$each installed"; done; echo "removed config-files"; exit 1\n')
    (folder / "apt-get").write_text(f"""#!/bin/sh
echo "$* $(cat {tmp_path}/createcluster/learning-reviews.conf 2>/dev/null | tail -n 1)" >>{tmp_path}/calls
case "$*" in *install*) cat {tmp_path}/said; exit "${{FAILS:-0}}" ;; esac
""")
    for name in ("dpkg-query", "apt-get"):
        (folder / name).chmod(0o755)

    def install(*packages, installed="", user=None, **environment):
        words = [] if user is None or os.geteuid() != 0 else [shutil.which("setpriv"), f"--reuid={user}", "--clear-groups"]
        # Inline, because the other user may not be allowed to read the files.
        script = "\n".join(["set -euo pipefail", *((LIBRARY / name).read_text() for name in ("say.sh", "packages.sh")),
                            f"createcluster_folder={tmp_path}/createcluster", 'install_packages "$@"'])
        return run(*words, shutil.which("bash"), "-c", script, "bash",
                   *packages, env={"PATH": str(folder), "INSTALLED": installed, **environment}, cwd="/")
    install.calls = lambda: (tmp_path / "calls").read_text().splitlines()
    install.folder = folder
    if os.geteuid() != 0:
        (folder / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
        (folder / "sudo").chmod(0o755)
    return install


def test_the_progress_of_apt_is_shown(machine):
    done = machine("gcc", "cmake", installed="curl")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "== Installing 2 packages: gcc cmake", "   reading the lists of packages",
        "   45 packages with what they need; need to get 12.3 MB of archives.",
        *(f"   {phase} {count} of 45" for phase in ("fetched", "unpacked", "set up") for count in (20, 40, 45))]


def test_a_failed_apt_shows_its_last_lines(machine):
    done = machine("gcc", FAILS="100")
    assert (done.returncode, "Setting up p45" in done.stdout, "apt-get could not install" in done.stdout) == (1, True, True)


def test_nothing_is_installed_when_all_packages_are_there(machine):
    done = machine("gcc", installed="gcc")
    assert (done.returncode, done.stdout) == (0, "== Packages: all there\n")


@pytest.mark.parametrize("packages, installed, kept_from", [
    (["gcc", "postgresql"], "", True), (["postgresql-15", "curl"], "", True), (["patroni"], "", True),
    (["gcc"], "", False), (["gcc", "postgresql"], "postgresql", False),
    (["postgresql"], "postgresql-common", False)], ids=str)
def test_debian_s_own_cluster_is_not_created_with_a_new_postgresql(machine, packages, installed, kept_from):
    assert machine(*packages, installed=installed).returncode == 0
    installs = [line for line in machine.calls() if "install -y" in line]
    assert [line.endswith("create_main_cluster = false") for line in installs] == [kept_from]


def test_debian_reads_the_folder_of_the_setting():
    """If postgresql-common is installed: its own file names the folder of the setting."""
    theirs = pathlib.Path("/etc/postgresql-common/createcluster.conf").read_text()
    ours = re.search(r"^createcluster_folder=(.*)$", (LIBRARY / "packages.sh").read_text(), re.MULTILINE)[1]
    assert re.search(rf"^include_dir '{ours}'$", theirs, re.MULTILINE)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_the_advice_without_sudo_works_on_a_machine_without_package_lists(machine):
    done = machine("gcc", "cmake", user="65534")
    assert done.returncode == 1
    assert "As root: apt-get update && apt-get install --no-install-recommends gcc cmake" in done.stdout
