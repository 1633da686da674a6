"""Two thousand clients that each asked once and stay connected leave the service small."""
import pathlib
import re
import resource
import socket

import pytest

from client import Client
from load_generator import token_of
from scenarios import make_case
from service import program

CONNECTIONS, MEMORY_MIB = 2000, 64
SANITIZED = b"__asan_init" in program().read_bytes()


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, CONNECTIONS + 500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident_mib(instance):
    status = pathlib.Path(f"/proc/{instance.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def read_status(link):
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += link.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    missing = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(body)
    while missing > 0:
        missing -= len(link.recv(65536))
    return int(head.split()[1])


@pytest.mark.skipif(SANITIZED, reason="a sanitizer takes time and memory of its own")
def test_connections_that_asked_once_take_little_memory(shared_cluster, serving, many_descriptors):
    instance = serving(shared_cluster)
    token = token_of(instance, "CPC-GLA", scope="cases.read cases.write actions.read", client="memory")
    case = make_case(Client(instance.url, token))["id"]
    request = (f"GET /v1/cases/{case}?expand=stages,actions HTTP/1.1\r\nHost: a\r\n"
               f"Authorization: Bearer {token}\r\n\r\n").encode()
    links = [socket.create_connection(("127.0.0.1", instance.port), timeout=30) for _ in range(CONNECTIONS)]
    try:
        for link in links:
            link.sendall(request)
        statuses = {read_status(link) for link in links}
        found = resident_mib(instance)
    finally:
        for link in links:
            link.close()
    print(f"\n{CONNECTIONS} connections that asked once: {found:.0f} MiB resident; wanted below {MEMORY_MIB} MiB")
    assert statuses == {200} and found < MEMORY_MIB
