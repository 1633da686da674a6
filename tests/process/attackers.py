"""Attackers that take the memory and the connections of a service: runs as a separate process.

    attackers.py PORT ADMIN_PORT SECONDS TOKEN TOKEN

Each kind connects from loopback addresses that are not trusted proxies. At the end the program prints, as JSON, the
results of each kind's connections: their number, and how many got which status (0: closed without one).
"""
import collections
import json
import os
import random
import selectors
import socket
import sys
import time

PIECE = 64 * 1024
FIRST, EACH_TENTH = 2000, 30  # connections of each kind opened at the start, and every 100 ms
HELD_S = 11  # how long an answer is left unread: longer than a request may take
HEAD = "POST {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n"


def post(path, body, *fields):
    return HEAD.format(path, len(body), "".join(field + "\r\n" for field in fields)).encode() + body


def kinds(port, admin_port, *tokens):
    """Name: (port, addresses, connections at a time, data that each sends, whether it reads the answer)."""
    large = b" " * (4 << 20)
    bearer, other = (f"Authorization: Bearer {token}" for token in tokens)
    # Just within the limit of values, so that the service parses them.
    arrays = b"[" + b"[]," * 99_000 + b"[]]"
    objects = b'[' + b'{"a":{}},' * 66_000 + b"{}]"
    lines = b"{}\n" * 99_000
    chunks = (f"POST /v1/referrals/batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{bearer}\r\n"
              "Transfer-Encoding: chunked\r\n\r\n").encode() + b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    batch = "/v1/referrals/batch"
    return {
        "bodies without a token": (port, (2, 3), 512, post(batch, large), True),
        "bodies for no route": (port, (4,), 256, post("/nowhere", large), True),
        "silent": (port, (5, 6, 7), 1445, b"", True),
        "silent admin": (admin_port, (8,), 40, b"GET /livez HTTP/1.1\r\nHost: a\r\nX-A: ", True),
        "admin bodies": (admin_port, (8,), 8, b"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", True),
        "arrays": (port, (9,), 16, post(batch, arrays, other), True),
        "objects": (port, (9,), 16, post(batch, objects, other), True),
        "lines": (port, (9,), 16, post(batch, lines, other).replace(b"application/json", b"application/x-ndjson"), True),
        "chunks": (port, (10,), 64, chunks, True),
        "slow bodies": (port, (10,), 8, post(batch, large, bearer)[:200_000], True),
        "slow readers": (port, (11, 12), 300, b"GET /openapi.yaml HTTP/1.1\r\nHost: a\r\n\r\n" * 3, False),
    }


class Link:
    """One connection that sends its data as fast as the service reads it, and records the returned status."""

    def __init__(self, kind, port, address, data, reads):
        self.kind, self.data, self.sent, self.reads, self.status = kind, data, 0, reads, 0
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE if reads else 4096)
        self.socket.bind((f"127.0.0.{address}", 0))
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))

    def events(self):
        wanted = selectors.EVENT_READ if self.reads else 0
        return wanted | (selectors.EVENT_WRITE if self.sent < len(self.data) else 0)

    def go_on(self, mask):
        """Returns whether the connection is open."""
        try:
            if mask & selectors.EVENT_WRITE:
                self.sent += self.socket.send(memoryview(self.data)[self.sent:self.sent + PIECE])
            if mask & selectors.EVENT_READ:
                answer = self.socket.recv(PIECE)
                if answer.startswith(b"HTTP/1.1 ") and not self.status:
                    self.status = int(answer[9:12])
                return bool(answer)
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True


class Crowd:
    """All open connections, as many of each kind as allowed at a time."""

    def __init__(self, wanted):
        self.wanted, self.watched, self.held = wanted, selectors.DefaultSelector(), collections.deque()
        self.counts = collections.Counter()
        self.endings = {name: collections.Counter() for name in wanted}

    def open(self, at_most):
        for name, (port, addresses, most, data, reads) in self.wanted.items():
            for _ in range(min(at_most, most - self.counts[name])):
                link = Link(name, port, random.choice(addresses), data, reads)
                self.watched.register(link.socket, link.events(), link)
                self.counts[name] += 1

    def end(self, link):
        link.socket.close()
        self.counts[link.kind] -= 1
        self.endings[link.kind][link.status] += 1

    def serve(self):
        for key, mask in self.watched.select(0.05):
            link = key.data
            alive = link.go_on(mask)
            if alive and link.events():
                self.watched.modify(link.socket, link.events(), link)
                continue
            self.watched.unregister(link.socket)
            if alive:  # everything is sent, and nothing will be read
                self.held.append((time.monotonic() + HELD_S, link))
            else:
                self.end(link)
        while self.held and self.held[0][0] < time.monotonic():
            self.end(self.held.popleft()[1])


def attack(wanted, seconds):
    crowd, end, opened = Crowd(wanted), time.monotonic() + seconds, 0
    crowd.open(FIRST)
    while (now := time.monotonic()) < end:
        if now - opened > 0.1:
            opened = now
            crowd.open(EACH_TENTH)
        crowd.serve()
    return crowd.endings


if __name__ == "__main__":
    os.nice(15)  # in production they would be on other machines
    port, admin_port, seconds = (int(word) for word in sys.argv[1:4])
    print(json.dumps(attack(kinds(port, admin_port, *sys.argv[4:6]), seconds)))
