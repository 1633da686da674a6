"""HTTP by hand, for what no library would send."""
import socket

PATIENCE_S = 0.5


def exchange(port, data, shut=False):
    """Sends bytes and reads until the other side closes.

    `shut` ends our side of the connection after the bytes, as a sender does that breaks off; what
    has not been answered soon after that will not be.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        link.sendall(data)
        if shut:
            link.shutdown(socket.SHUT_WR)
            link.settimeout(PATIENCE_S)
        received = b""
        while True:
            try:
                more = link.recv(65536)
            except (ConnectionResetError, socket.timeout):
                return received
            if not more:
                return received
            received += more


def request(method, target, *fields, body=b""):
    """A request that asks for the connection to be closed afterwards."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def status_of(answer):
    """The status of the first answer, or 0 when there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0
