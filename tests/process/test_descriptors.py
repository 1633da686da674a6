"""No descriptors left: who is connected is served, others wait, it is logged, and it passes."""
import socket
import time

from drill import Caller, Load, open_descriptors, seconds_until, tally, token_of
from service import Instance, program

DESCRIPTORS, FLOOD = 200, 400


def start_with_few(cluster, keys, folder):
    script = folder / "few-descriptors"
    script.write_text(f'#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec {program()} "$@"\n')
    script.chmod(0o755)
    return Instance(cluster, keys, script, LR_IDLE_SECONDS=60).start()


def test_a_flood_of_connections_passes(cluster, keys, tmp_path):
    instance = start_with_few(cluster, keys, tmp_path)
    links = []
    try:
        with Load(instance, token_of(instance), 4) as load:
            seconds_until(lambda: len(load.outcomes()) > 20, 5)
            usual = open_descriptors(instance)
            for _ in range(FLOOD):
                links.append(socket.create_connection(("127.0.0.1", instance.port), timeout=5))
            seconds_until(lambda: "descriptors or memory are out" in instance.log_text(), 5)
            flooded = time.monotonic()
            cluster.stop()  # connections to the database have to be made anew, without a descriptor at first
            cluster.start()
            time.sleep(1)
            for link in links:
                link.close()
            closed = time.monotonic()
            late = Caller(instance, token_of(instance), load.enough)
            seconds_until(lambda: late.ask("list").status == 200, 5)
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
        assert [one for one in outcomes if one.fault] == [], "who was connected lost its connection"
        assert healed < 2
    finally:
        for link in links:
            link.close()
        assert instance.stop() == 0
