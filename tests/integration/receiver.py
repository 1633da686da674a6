"""A receiver of webhooks: a real HTTPS server with its own certificate authority, which records the messages it gets.
"""
import base64
import contextlib
import dataclasses
import datetime
import hashlib
import hmac
import http.server
import ipaddress
import json
import socket
import ssl
import threading
import time
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from waiting import WATCHDOG_S


def _certificate(subject, issuer, key, signer, *extensions):
    name = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (subject, issuer)]
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(name[0]).issuer_name(name[1]).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
               .not_valid_after(now + datetime.timedelta(days=1)))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def make_certificates(folder):
    """Writes an authority and a certificate for localhost (and 127.0.0.2); returns both files."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_file, server_file = folder / "receiver-ca.pem", folder / "receiver.pem"
    authority_file.write_bytes(_certificate("tests", "tests", authority, authority,
                                            x509.BasicConstraints(ca=True, path_length=None)))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))])
    server_file.write_bytes(_certificate("localhost", "tests", key, authority, names) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return authority_file, server_file


def bound_socket():
    """Reserves a port; nothing listens on it until a receiver does."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", 0))
    return made


@dataclasses.dataclass
class Message:
    headers: dict
    body: bytes
    began: float
    ended: float = None
    status: int = None

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def event(self):
        return json.loads(self.body)

    @property
    def number(self):
        return int(self.event["id"])

    @property
    def case(self):
        data = self.event["data"]
        return data["subject_id"] if data["subject"] == "case" else data["case_id"]

    @property
    def accepted(self):
        return self.status is not None and 200 <= self.status < 300

    def is_signed_with(self, secret):
        """Verifies the signature by Standard Webhooks, computed independently."""
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in self.headers["webhook-signature"].split(" ")


class Endpoint:
    """One address of the receiver. `answer` is a function of the message: status, or status and headers and body."""

    def __init__(self, url, answer):
        self.url, self.answer = url, answer
        self.changed = threading.Condition()
        self.messages = []

    def take(self, message):
        with self.changed:
            self.messages.append(message)
        given = self.answer(message)
        status, headers, body = given if isinstance(given, tuple) else (given, {}, b"")
        return status, headers, body

    def finish(self, message, status):
        with self.changed:
            message.status, message.ended = status, time.monotonic()
            self.changed.notify_all()

    @property
    def accepted(self):
        with self.changed:
            return [one for one in self.messages if one.accepted]

    def wait(self, enough, seconds=WATCHDOG_S):
        """Waits until `enough(answered messages)` is true and returns the messages."""
        with self.changed:
            def answered():
                return [one for one in self.messages if one.ended is not None]
            if not self.changed.wait_for(lambda: enough(answered()), seconds):
                shown = [(one.status, one.event.get("type")) for one in answered()]
                raise AssertionError(f"not sent in {seconds} s; so far: {shown[-20:]}")
            return answered()

    def wait_accepted(self, count, seconds=WATCHDOG_S):
        self.wait(lambda found: sum(one.accepted for one in found) >= count, seconds)
        return self.accepted


class Receiver:
    def __init__(self, listening, certificate_file):
        self.port = listening.getsockname()[1]
        self.endpoints = {}
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                began = time.monotonic()
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint = receiver.endpoints.get(self.path)
                message = Message({name.lower(): value for name, value in self.headers.items()}, body, began)
                status, headers, answer = endpoint.take(message) if endpoint else (404, {}, b"")
                # Recorded before the answer is sent: the sender may act on the answer at once.
                if endpoint:
                    endpoint.finish(message, status)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in {**headers, "Content-Length": len(answer)}.items():
                        self.send_header(name, str(value))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request, client_address):
                with contextlib.suppress(OSError):
                    request.settimeout(WATCHDOG_S)
                    super().finish_request(receiver.context.wrap_socket(request, server_side=True), client_address)

        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate_file)
        self.server = Server(("127.0.0.1", self.port), Handler, bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = listening
        self.server.server_activate()
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def endpoint(self, answer=lambda message: 204, host="localhost"):
        path = f"/{uuid.uuid4().hex}"
        made = Endpoint(f"https://{host}:{self.port}{path}", answer)
        self.endpoints[path] = made
        return made

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def overlapping(messages, key):
    """Returns pairs of messages with the same key that were in flight at the same time."""
    found, last = [], {}
    for one in sorted(messages, key=lambda each: each.began):
        before = last.get(key(one))
        if before is not None and one.began < before.ended:
            found.append((before, one))
        last[key(one)] = one
    return found
