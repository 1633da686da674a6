"""A thousand waiting consumers do not slow down other requests, and all of them get the next change."""
import pathlib
import re
import selectors
import socket
import statistics
import time
import urllib.parse

import pytest
import requests

from cluster import Cluster
from payloads import new_referral
from service import Instance, Secrets

CONSUMERS, SAMPLES, WAIT_S = 1000, 300, 30
RATIO_MOST, SLACK_S = 2, 0.002
KIB_MOST = 160


@pytest.fixture
def instance():
    cluster, keys = Cluster(), Secrets()
    made = Instance(cluster, keys)
    try:
        yield made.start()
    finally:
        made.stop()
        cluster.remove()
        keys.remove()


def token_of(instance, organisation, scopes):
    return instance.run("token", "--organisation", organisation, "--client", "waiting", "--scope", scopes)


def memory_kib(instance):
    status = pathlib.Path(f"/proc/{instance.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


def median_s(session, url):
    times = []
    for _ in range(SAMPLES):
        begun = time.perf_counter()
        assert session.get(url, timeout=5).status_code == 200
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def waiting_count(instance):
    return int(re.search(r"feed_waiting_requests (\d+)", instance.admin("/metrics")[1]).group(1))


def begin_waiting(instance, token, target):
    """Sends the request on separate connections."""
    request = (f"GET {target}&wait={WAIT_S} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n"
               "Connection: close\r\n\r\n").encode()
    links = []
    for _ in range(CONSUMERS):
        link = socket.create_connection(("127.0.0.1", instance.port), timeout=10)
        link.sendall(request)
        links.append(link)
    deadline = time.monotonic() + 10
    while waiting_count(instance) < CONSUMERS:
        assert time.monotonic() < deadline, f"{waiting_count(instance)} requests wait"
        time.sleep(0.1)
    return links


def read_answers(links):
    """Returns the text of each answer, and the time at which the last one was complete."""
    chooser, texts = selectors.DefaultSelector(), {link: b"" for link in links}
    for link in links:
        link.setblocking(False)
        chooser.register(link, selectors.EVENT_READ)
    deadline = time.monotonic() + 20
    while chooser.get_map() and time.monotonic() < deadline:
        for key, _ in chooser.select(timeout=1):
            more = key.fileobj.recv(65536)
            texts[key.fileobj] += more
            if not more:
                chooser.unregister(key.fileobj)
                key.fileobj.close()
    return list(texts.values()), time.monotonic()


def test_a_thousand_waiting_requests_do_not_affect_others(instance):
    reader = token_of(instance, "CPC-GLA", "changes.read referrals.read cases.read")
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {reader}"
    start = session.get(f"{instance.url}/v1/changes", timeout=5).json()["next"]
    other = f"{instance.url}/v1/cases?limit=1"
    median_s(session, other)
    without, before = median_s(session, other), memory_kib(instance)
    links = begin_waiting(instance, reader, urllib.parse.urlsplit(start)._replace(scheme="", netloc="").geturl())
    meanwhile, after = median_s(session, other), memory_kib(instance)
    each_kib = (after - before) / CONSUMERS
    pusher = token_of(instance, "LA-S12000049", "referrals.write")
    pushed = requests.post(f"{instance.url}/v1/referrals", json=new_referral(), timeout=5,
                           headers={"Authorization": f"Bearer {pusher}"})
    answered = time.monotonic()
    texts, last = read_answers(links)
    print(f"\n{CONSUMERS} wait: median of other requests {without * 1e3:.2f} ms without, {meanwhile * 1e3:.2f} ms "
          f"with; {each_kib:.0f} KiB for each; all answered {last - answered:.2f} s after the change")
    assert pushed.status_code == 201
    assert all(text.startswith(b"HTTP/1.1 200") and pushed.json()["id"].encode() in text for text in texts)
    assert meanwhile <= without * RATIO_MOST + SLACK_S
    assert each_kib < KIB_MOST
    assert last - answered < 5
