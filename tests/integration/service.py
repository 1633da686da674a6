"""Starts, observes and stops the real program as an operator would."""
import json
import os
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import day
import warden
from receiver import bound_socket, make_certificates
from tokens import make_token
from waiting import WATCHDOG_S

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN_S = 43200  # longer than any run


def program(variable="LR_BINARY", name="learning-reviews"):
    return pathlib.Path(os.environ.get(variable, ROOT / "build" / name))


FIRST_PORT, PORTS = int(os.environ.get("LR_FIRST_PORT", "27000")), 70
_next_port = iter(())


def free_port():
    """Returns a free port of this worker's own range, below the ports that the system gives to clients."""
    global _next_port
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    for _ in range(3 * PORTS):
        port = next(_next_port, None)
        if port is None:
            _next_port = iter(range(FIRST_PORT + worker * PORTS, FIRST_PORT + (worker + 1) * PORTS))
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no port is free")


class Secrets:
    """The files with secrets that instances on one database share."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lr-secrets-"))
        warden.watch("folder", self.folder)
        self.token_secret = secrets.token_hex(32).encode()
        self.token_file = self._write("token", self.token_secret)
        self.pseudonym_file = self._write("pseudonym", secrets.token_hex(32).encode())
        self.webhook_file = self._write("webhook", secrets.token_hex(32).encode())
        self.receiver_socket = bound_socket()
        self.receiver_ca, self.receiver_certificate = make_certificates(self.folder)

    def _write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    @property
    def receiver_port(self):
        return self.receiver_socket.getsockname()[1]

    def remove(self):
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
        warden.forget("folder", self.folder)


class Instance:
    """One running service. Errors in its log fail the current test, unless expected."""

    by_url = {}  # every instance of this session
    usual = {}  # default settings of all instances: for the conftest.py of a suite

    def __init__(self, cluster, keys, binary=None, **settings):
        self.cluster, self.keys = cluster, keys
        self.binary = str(binary or program())
        self.port, self.admin_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.by_url[self.url] = self
        self.errors_expected = False
        self.environment = {
            "PATH": os.environ["PATH"], "LR_MODE": "dev",
            "LR_DATABASE": cluster.connection_string("register_service"),
            "LR_MIGRATION_DATABASE": cluster.connection_string("postgres"),
            "LR_DEV_SECRET_FILE": str(keys.token_file),
            "LR_PSEUDONYM_KEY_FILE": str(keys.pseudonym_file),
            # A host where nothing listens, and the addresses of the tests' receivers.
            "LR_WEBHOOK_HOSTS": f"localhost:9,localhost:{keys.receiver_port},127.0.0.1:{keys.receiver_port}",
            "LR_WEBHOOK_KEY_FILE": str(keys.webhook_file), "LR_WEBHOOK_NETWORKS": "127.0.0.0/8,::1",
            "LR_WEBHOOK_CA_FILE": str(keys.receiver_ca), "LR_WEBHOOK_RETRY_SECONDS": "1",
            "LR_LISTEN": f"127.0.0.1:{self.port}",
            "LR_ADMIN_LISTEN": f"127.0.0.1:{self.admin_port}",
            # ASan remembers freed memory up to 16 MB only: with 256 MB, half of a start's time is spent on it.
            "ASAN_OPTIONS": "quarantine_size_mb=16",
            "LR_DRAIN_GRACE_SECONDS": "0", "LR_DRAIN_SECONDS": "3", "LR_RATE_LIMIT": "1000000",
            **{name: str(value) for name, value in {**self.usual, **settings}.items()}}
        for name in [name for name, value in settings.items() if value is None]:
            del self.environment[name]
        self.log = tempfile.TemporaryFile(prefix="lr-log-")
        self.log_read = 0
        self.process = None

    def run(self, *words):
        """Runs another command of the program with this instance's settings."""
        done = subprocess.run([self.binary, *words], env=self.environment, check=True, timeout=WATCHDOG_S,
                              stdout=subprocess.PIPE)
        if words == ("migrate",):
            self.cluster.use_code()
            day.keep_in(self.cluster)
        return done.stdout.decode().strip()

    def token(self, organisation, client, scope):
        """Returns a token made by the command `token`."""
        return make_token(self.keys.token_secret, sub=client, client_id=client, organisation=organisation, scope=scope,
                          exp=int(time.time()) + TOKEN_S)

    def start(self):
        self.process = subprocess.Popen([self.binary, "serve"], env=self.environment,
                                        stdout=self.log, stderr=subprocess.STDOUT)
        warden.watch("service", self.process.pid)
        deadline = time.monotonic() + WATCHDOG_S
        while self.admin("/readyz")[0] != 200:
            if self.process.poll() is not None or time.monotonic() > deadline:  # clock: the watchdog
                raise RuntimeError(f"the service does not get ready: {self.log_text()[-2000:]}")
            time.sleep(0.02)  # clock: between two checks
        return self

    def admin(self, path):
        """Returns status and text of a page of the admin port; status 0 when nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}",
                                        timeout=WATCHDOG_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()
        except OSError:
            return 0, ""

    def figure(self, name):
        """Returns the value of a line of /metrics, by its name with the labels."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.admin("/metrics")[1], re.MULTILINE)
        return float(found[1])

    def log_bytes(self, since=0):
        """Returns the log from a byte on."""
        return os.pread(self.log.fileno(), os.fstat(self.log.fileno()).st_size - since, since)

    def log_text(self):
        return self.log_bytes().decode(errors="replace")

    def log_lines(self):
        return [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]

    def has_ended(self):
        """Returns whether it ended without a request to."""
        return self.process is not None and self.process.poll() is not None

    def complaints(self):
        """Returns the errors since the last call."""
        if self.process is None:
            return []
        fresh = self.log_bytes(self.log_read)
        self.log_read += len(fresh)
        found = [line for line in fresh.decode(errors="replace").splitlines()
                 if not line.startswith("{") or json.loads(line).get("level") == "error"]
        if self.has_ended():
            found.append(f"the service ended with status {self.process.returncode}")
        return [] if self.errors_expected else found

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """Asks the service to end and returns its exit status."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        warden.forget("service", process.pid)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(timeout=WATCHDOG_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise RuntimeError("the service did not end after SIGTERM")
