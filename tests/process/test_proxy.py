"""The delivered HAProxy configuration in front of an instance: it refuses messages that the HTTP library should refuse
but accepts.

Needs haproxy (Debian). The cases are those of tests/security/test_raw_http.py, whose comments marked "library" describe
the answers of the instance alone; here both are shown next to each other.
"""
import contextlib
import importlib.util
import socket
import subprocess
import threading
import time

import pytest

from contract_reader import ROOT
from service import Instance, free_port
from waiting import WATCHDOG_S

SHIPPED = ROOT / "deploy" / "cluster"


def load_raw():
    spec = importlib.util.spec_from_file_location("raw_http_cases", ROOT / "tests" / "security" / "test_raw_http.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RAW = load_raw()
EXTRA = {
    "a NUL behind a token": RAW.get(b"/v1/me", fields=b"Authorization: Bearer x\0y\r\n"),
    "600 cookies that nobody asked for": RAW.CASES["600 cookies"][0],
}
# name: (answers of the instance alone, answers through the proxy)
CASES = {
    "a proper read": ([200], [200]),
    "a NUL in a value": ([200], [400]),
    "a NUL behind a token": ([401], [400]),
    "a raw NUL in the target": ([200], [400]),
    "a NUL in the method": ([405], [400]),
    "nothing but NUL": (RAW.CLOSED, [400]),
    "a field without a name": ([200, 400], [400]),
    "a control byte in a value": ([400], [400]),
    "a DEL in a value": ([400], [400]),
    "a carriage return inside": ([400], [400]),
    # The library sends the head of its own answer twice.
    "no Host": ([400, 400], [400]),
    "a negative length": ([400, 400], [400]),
    "a length with a plus": ([400, 400], [400]),
    "a length in hex": ([400, 400], [400]),
    "a length of nothing": ([400, 400], [400]),
    "a length beyond 64 bits": ([413, 413], [400]),
    # The library waits for a body that never arrives, unless the request is refused before (None: either).
    "a length of 64 bits": (None, [413]),
    "chunks in a list": (None, [400]),
    "xchunked": (None, [400]),
    "identity": (None, [400]),
    # The library has no memory for so many, and closes the connection.
    "600 cookies that nobody asked for": (RAW.CLOSED, [200]),
    # A request that HAProxy accepts reaches the instance, which answers with its own problem.
    "a Host with a blank": ([400], [400]),
    "501 parameters": ([400], [400]),
    "two tokens": ([400], [400]),
    # HAProxy's parser accepts these as well, and rewrites them: see the test below.
    "line feeds only": ([200], [200]),
    "two blanks before the target": ([200], [200]),
    "HTTP/1.2": ([200], [200]),
}


@contextlib.contextmanager
def haproxy(folder, port, server, health, machine=1, change=str):
    """HAProxy with the delivered configuration for clients, with one server instead of three. `change` adapts it before
    the lines with addresses of other machines are left out."""
    text = change((SHIPPED / "haproxy.cfg").read_text(encoding="utf-8").partition("# --- the database")[0])
    assert text.count("@ADDRESS@:8080") == 1 and "port 8091" in text
    (folder / f"m{machine}").mkdir()
    for name in ("unavailable.http", "rate_limited.json"):
        (folder / name).write_bytes((SHIPPED / name).read_bytes())
    for place, value in (("@MACHINE@", str(machine)), ("@STATE@", str(folder)), ("@ERRORS@", str(folder)),
                         ("@ADDRESS@:8080", f"127.0.0.1:{port}"), ("@ADDRESS_1@:8090", f"127.0.0.1:{server}"),
                         (f"@ADDRESS_{machine}@:8092", f"127.0.0.1:{free_port()}"), ("port 8091", f"port {health}")):
        text = text.replace(place, value)
    lines = [line for line in text.splitlines() if "@ADDRESS_" not in line]
    (folder / "haproxy.cfg").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open(folder / "log", "wb") as log:
        running = subprocess.Popen(["haproxy", "-W", "-db", "-f", folder / "haproxy.cfg"], stdout=log, stderr=log)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(timeout=WATCHDOG_S)


def await_answer(port, running, folder):
    late = time.monotonic() + WATCHDOG_S
    while True:
        with contextlib.suppress(OSError):
            if b" 200 " in read_all(port, RAW.get(b"/")).split(b"\r\n")[0]:
                return
        assert running.poll() is None and time.monotonic() < late, (folder / "log").read_text()


@pytest.fixture(scope="module")
def ports(cluster, keys, tmp_path_factory):
    """The instance, and the proxy in front of it."""
    instance = Instance(cluster, keys, LR_REQUEST_SECONDS=3, LR_IDLE_SECONDS=4).start()
    folder, port = tmp_path_factory.mktemp("haproxy"), free_port()
    with haproxy(folder, port, instance.port, instance.admin_port) as running:
        await_answer(port, running, folder)
        yield instance.port, port
    assert instance.stop() == 0


def read_all(port, data):
    """Returns everything that arrives until the other side closes, which both do in time."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=WATCHDOG_S) as link:
        link.sendall(data)
        with contextlib.suppress(ConnectionError):
            while more := link.recv(65536):
                received += more
    return received


def outcome(answer):
    """Returns the statuses of the answers; CLOSED when there is none."""
    return RAW.statuses_of(answer) or RAW.CLOSED


@pytest.mark.parametrize("name", CASES)
def test_the_proxy_refuses_faults_that_the_library_accepts(ports, name):
    data = EXTRA[name] if name in EXTRA else RAW.CASES[name][0]
    instance, proxy = ports
    alone, proxied = CASES[name]
    assert outcome(read_all(proxy, data)) == proxied
    assert alone is None or outcome(read_all(instance, data)) == alone


@pytest.fixture
def recorded(tmp_path):
    """Returns the port of a proxy, and the messages that reach the server behind it."""
    seen, listening = [], socket.create_server(("127.0.0.1", free_port()))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                link, _ = listening.accept()
                with link, contextlib.suppress(OSError):
                    link.settimeout(WATCHDOG_S)
                    data = b""
                    while not data.endswith(b"\r\n\r\n") and (more := link.recv(65536)):
                        data += more
                    if data and b"/readyz" not in data:
                        seen.append(data)
                    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    threading.Thread(target=serve, daemon=True).start()
    server, port = listening.getsockname()[1], free_port()
    with haproxy(tmp_path, port, server, server) as running:
        await_answer(port, running, tmp_path)
        seen.clear()
        yield port, seen
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


@pytest.mark.parametrize("name", ["line feeds only", "two blanks before the target", "HTTP/1.2", "a tab for a blank"])
def test_the_proxy_rewrites_the_messages_that_it_accepts(recorded, name):
    """The instance gets CR LF, single spaces and HTTP/1.1: nothing that two programs read in two ways."""
    port, seen = recorded
    assert outcome(read_all(port, RAW.CASES[name][0])) == [200]
    assert [data.lower() for data in seen] == [
        b"get /v1/problems http/1.1\r\nhost: a\r\nx-forwarded-for: 127.0.0.1\r\n\r\n"]


def test_a_client_cannot_choose_its_address_and_its_cookies_are_removed(recorded):
    port, seen = recorded
    read_all(port, RAW.get(fields=b"X-Forwarded-For: 203.0.113.9\r\nCookie: a=b\r\n"))
    assert seen[0].lower().count(b"x-forwarded-for: ") == 1 and b"x-forwarded-for: 127.0.0.1\r\n" in seen[0].lower()
    assert b"203.0.113.9" not in seen[0] and b"cookie" not in seen[0].lower()
