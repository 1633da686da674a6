"""Memory and connections under attack: the service's memory stays small, and well-behaved clients are served.

The attackers send as much as they can without a token, with the tokens of two clients, and to the admin port, all at
the same time. Meanwhile another client pushes referrals from an address that is not a trusted proxy.
"""
import http.client
import json
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

from load_generator import percentile, token_of
from payloads import new_referral

SECONDS, A_SECOND = 60, 10
MEMORY_KIB = 256 * 1024
LATEST_S = 1.0
ATTACKERS = pathlib.Path(__file__).with_name("attackers.py")
PUSHER = "127.0.0.100"


def peak_kib(instance):
    facts = pathlib.Path(f"/proc/{instance.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", facts)[1])


class Pusher(threading.Thread):
    """Pushes at a fixed rate, in turn on a connection that it keeps open and on a new one."""

    def __init__(self, instance, token):
        super().__init__(daemon=True)
        self.port, self.outcomes, self.enough = instance.port, [], threading.Event()
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.kept = self.connect()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10, source_address=(PUSHER, 0))

    def push(self, link):
        began = time.monotonic()
        try:
            link.request("POST", "/v1/referrals", json.dumps(new_referral()), self.headers)
            answer = link.getresponse()
            answer.read()
            ending = answer.status
        except (OSError, http.client.HTTPException) as fault:
            ending = type(fault).__name__
            link.close()
        self.outcomes.append((ending, time.monotonic() - began))

    def run(self):
        following = time.monotonic()
        while not self.enough.is_set():
            self.push(self.kept)
            own = self.connect()
            self.push(own)
            own.close()
            following += 2 / A_SECOND
            time.sleep(max(0.0, following - time.monotonic()))


def under_attack(instance, seconds):
    tokens = [token_of(instance, "HB-S08000031", client=client) for client in ("attacker-1", "attacker-2")]
    return subprocess.Popen([sys.executable, str(ATTACKERS), str(instance.port), str(instance.admin_port),
                             str(seconds), *tokens], stdout=subprocess.PIPE)


def test_an_attack_on_memory_and_connections_does_not_affect_other_clients(cluster, serving):
    instance = serving(cluster, LR_RATE_LIMIT=None)
    pusher = Pusher(instance, token_of(instance))
    attackers = under_attack(instance, SECONDS)
    pusher.start()
    alive = []
    while attackers.poll() is None:
        alive.append(instance.admin("/livez")[0])
        time.sleep(0.5)
    pusher.enough.set()
    pusher.join(20)
    times = [took for _, took in pusher.outcomes]
    endings = json.loads(attackers.stdout.read())
    peak = peak_kib(instance)
    print(f"\n{endings}\npeak {peak / 1024:.0f} MiB; {len(times)} pushes, median {percentile(times, 0.5) * 1e3:.0f} ms, "
          f"p99 {percentile(times, 0.99) * 1e3:.0f} ms, latest {max(times) * 1e3:.0f} ms; "
          f"{instance.figure('http_connections_evicted_total'):.0f} connections made room")
    assert {ending for ending, _ in pusher.outcomes} == {201}
    assert len(times) > SECONDS * A_SECOND * 0.9 and max(times) < LATEST_S
    assert set(alive) == {200}
    assert peak < MEMORY_KIB
    for kind, statuses in endings.items():
        assert kind in ("slow readers", "admin bodies") or not {"200", "201", "207"} & set(statuses), (kind, statuses)
