#!/usr/bin/env python3
"""A register of its own for tests/contract/run: prints address and token, ends when its input ends.

There is one case in it with one of everything, and a few referrals. Says `URL TOKEN` in one line on standard output
when it is ready. The token is a committee's, with every scope that a client may have. Errors in its log are printed at
the end and make it end with status 1.
"""
import pathlib
import signal
import sys

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "contract")]

from client import ALL_SCOPES, Client  # noqa: E402
from cluster import Cluster  # noqa: E402
from path_params import places_of_case  # noqa: E402
from service import Instance, Secrets  # noqa: E402
from scenarios import make_action, make_case, make_referral  # noqa: E402


def caller(instance, organisation="CPC-GLA", client="contract-tools"):
    token = instance.run("token", "--organisation", organisation, "--client", client,
                         "--scope", ALL_SCOPES)
    return Client(instance.url, token, None,
                  lambda *other: caller(instance, *other))


def fill(committee):
    """Something to read and change for those who only send requests out of the contract."""
    places_of_case(committee)
    make_action(committee, make_case(committee, "decision"))
    for _ in range(3):
        make_referral(committee)


def serve(cluster, keys):
    instance = Instance(cluster, keys)
    instance.start()
    try:
        committee = caller(instance)
        fill(committee)
        print(instance.url, committee.token, flush=True)
        sys.stdin.read()
        complaints = instance.complaints()
    finally:
        status = instance.stop()
    print(*complaints, sep="\n", end="", file=sys.stderr)
    return int(bool(complaints) or status != 0)


def main():
    # Asked to end, it takes its database along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    keys, cluster = Secrets(), Cluster()
    try:
        return serve(cluster, keys)
    finally:
        cluster.remove()
        keys.remove()


if __name__ == "__main__":
    sys.exit(main())
