"""Bytes to an API server and its answer, for requests that no HTTP library would send."""

import contextlib
import socket
import ssl
from typing import NamedTuple, Self

from control_plane.pki.cluster import ClusterPki

SECONDS = 60


class RawAnswer(NamedTuple):
    """The status of an answer, 0 when there was none, and its body."""

    code: int
    body: bytes


class RawConnection:
    """One TLS connection of the administrator's."""

    def __init__(self, port: int, pki: ClusterPki) -> None:
        context = ssl.create_default_context(cafile=str(pki.pair("ca").certificate))
        pair = pki.pair("admin")
        context.load_cert_chain(str(pair.certificate), str(pair.key))
        plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, data: bytes) -> RawAnswer:
        """Send bytes and return the answer, as far as it came before the connection ended."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):  # answered before it was all read
            self.socket.sendall(data)
        return self.answer()

    def answer(self) -> RawAnswer:
        """Read one answer."""
        read = b""
        while not _is_whole(read):
            try:
                more = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError):
                break
            if not more:
                break
            read += more
        head, _, body = read.partition(b"\r\n\r\n")
        words = head.split()
        return RawAnswer(int(words[1]) if len(words) > 1 else 0, body)


def _is_whole(read: bytes) -> bool:
    head, end, body = read.partition(b"\r\n\r\n")
    if not end:
        return False
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(lengths) and len(body) >= int(lengths[0].split(b":")[1])
