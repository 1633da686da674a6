"""File descriptors: the service raises the limit, or does not start. If they run out nevertheless, connected clients
are served, others wait, the service logs it, and it recovers."""
import resource
import socket
import subprocess
import time

import pytest

from load_generator import Caller, Load, open_descriptors, seconds_until, tally, token_of
from service import Instance, program

DESCRIPTORS, FLOOD = 200, 400


def with_limits(folder, soft, hard):
    """Runs the program with these limits of descriptors."""
    script = folder / "few-descriptors"
    script.write_text(f'#!/bin/sh\nulimit -Sn {soft}\nulimit -Hn {hard}\nexec {program()} "$@"\n')
    script.chmod(0o755)
    return script


def start_with_few(cluster, keys):
    """Lowers the limit after the start, because a service that starts has enough for its settings."""
    instance = Instance(cluster, keys, LR_HEADER_SECONDS=60, LR_IDLE_SECONDS=60).start()
    resource.prlimit(instance.process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    return instance


def test_the_soft_limit_is_raised_to_the_number_that_the_settings_need(cluster, keys, tmp_path):
    instance = Instance(cluster, keys, with_limits(tmp_path, 256, 4096), LR_CONNECTION_LIMIT=2048).start()
    try:
        assert 2048 < instance.figure("process_max_fds") <= 4096
    finally:
        assert instance.stop() == 0


@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_hard_limit_that_is_too_low_is_refused_with_an_explanation(cluster, keys, tmp_path, command):
    refused = Instance(cluster, keys, with_limits(tmp_path, 256, 2048), LR_CONNECTION_LIMIT=2048)
    ended = subprocess.run([refused.binary, command], env=refused.environment, timeout=60, check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    assert ended.returncode == 78
    assert "file descriptors" in ended.stdout and "2048" in ended.stdout and "LR_CONNECTION_LIMIT" in ended.stdout


def test_the_service_recovers_from_a_flood_of_connections(cluster, keys):
    instance = start_with_few(cluster, keys)
    links = []
    try:
        with Load(instance, token_of(instance), 4) as load:
            seconds_until(lambda: len(load.outcomes()) > 20, 5)
            usual = open_descriptors(instance)
            for _ in range(FLOOD):
                links.append(socket.create_connection(("127.0.0.1", instance.port), timeout=5))
            seconds_until(lambda: "descriptors or memory are out" in instance.log_text(), 5)
            flooded = time.monotonic()
            cluster.stop()  # the connections to the database must be opened again, at first without a descriptor
            cluster.start()
            time.sleep(1)
            for link in links:
                link.close()
            closed = time.monotonic()
            late = Caller(instance, token_of(instance), load.enough)
            seconds_until(lambda: late.ask("list").status == 200, 30)
            healed = time.monotonic() - closed
            late.hang_up()
            seconds_until(lambda: [one for one in load.outcomes(closed) if one.status == 201], 5)
            time.sleep(0.5)
        seconds_until(lambda: open_descriptors(instance) <= usual + 2, 5)
        outcomes = load.outcomes()
        lines = instance.log_text().count("descriptors or memory are out")
        print(f"\n{FLOOD} connections for {DESCRIPTORS} descriptors: a new client is answered {healed:.2f} s after the flood, "
              f"{lines} lines in the log; {tally(outcomes)}, {len(load.outcomes(flooded))} during it")
        assert not instance.has_ended() and 1 <= lines <= 3
        assert {one.status for one in outcomes if not one.fault} <= {200, 201, 503}
        assert [one for one in outcomes if one.fault] == [], "a connected client lost its connection"
    finally:
        for link in links:
            link.close()
        assert instance.stop() == 0
