"""The base of the authorization servers: process, address, TLS, requests."""
import copy
import pathlib
import signal
import subprocess
import tempfile
import time

import requests

import warden
from service import free_port
from waiting import WATCHDOG_S

START_S = 300  # a watchdog: Keycloak needs 20 s on two cores without other work


def answered(reply):
    """Returns the document of a success, if it has one."""
    assert reply.status_code in (200, 201, 204), (reply.request.method, reply.url, reply.status_code, reply.text)
    return reply.json() if reply.text else None


def keeping(made, **changes):
    """Returns the same server with other members."""
    other = copy.copy(made)
    vars(other).update(changes)
    return other


class Server:
    """A server of this machine, over TLS. Subclasses say how it starts, issues tokens and changes its keys."""

    def __init__(self, certificates):
        self.authority, self.certificate, self.key = certificates
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lr-identity-"))
        warden.watch("folder", self.folder)
        self.process = None

    def run(self, words, **environment):
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                                            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **environment})
        warden.watch("service", self.process.pid)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def wait_for(self, url):
        """Waits until the server answers."""
        end = time.monotonic() + START_S
        while True:
            try:
                return answered(requests.get(url, verify=self.authority, timeout=WATCHDOG_S))
            except requests.ConnectionError:
                assert self.process.poll() is None and time.monotonic() < end, self.log()  # clock: the watchdog
            time.sleep(0.2)  # clock: between two attempts

    def post(self, url, auth=None, **parameters):
        return requests.post(url, data=parameters, auth=auth, verify=self.authority, timeout=WATCHDOG_S)

    def token(self, **parameters):
        return answered(self.ask_for_token(**parameters))["access_token"]

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=WATCHDOG_S)
            warden.forget("service", self.process.pid)
        warden.remove_folder(self.folder)
        warden.forget("folder", self.folder)
