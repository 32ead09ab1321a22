"""An aggregated server of the tests that switches to any protocol, and then speaks in capitals."""

import datetime
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from control_plane.pki.authority import Authority, Identity, KeyPair
from tests.control_plane.apiserver.backend_peer import own_address

HOST = "pipes.default.svc"


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        lines = [line.rstrip(b"\r\n").decode() for line in iter(self.rfile.readline, b"\r\n")]
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
        protocol = headers.get("upgrade")
        if protocol is None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            return
        peer: Any = self.server
        peer.heads.append((lines[0], headers))
        head = f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n"
        self.wfile.write(head.encode() + b"\r\n")
        while heard := self.request.recv(65536):
            self.wfile.write(heard.upper())


class UpgradePeer(socketserver.ThreadingTCPServer):
    """`heads` are the first lines and headers of the requests that it has switched."""

    daemon_threads = True

    def __init__(self, directory: Path) -> None:
        now = datetime.datetime.now(datetime.UTC)
        self.ca = KeyPair(directory / "pipes-ca.crt", directory / "pipes-ca.key")
        own = KeyPair(directory / "pipes.crt", directory / "pipes.key")
        Authority.open(self.ca, now, "pipes-ca").ensure(
            own, Identity("pipes", dns_names=(HOST,)), now
        )
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(own.certificate, own.key)
        self.heads: list[tuple[str, dict[str, str]]] = []
        super().__init__((own_address(), 0), _Connection)

    def get_request(self) -> tuple[Any, Any]:
        """Accept; the handshake is the connection's thread's to do."""
        connection, address = super().get_request()
        return self._tls.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        ), address

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """Those who leave in the middle are none of the test's business."""


@contextmanager
def upgrade_peer(directory: Path) -> Iterator[UpgradePeer]:
    """One that runs in a thread of its own."""
    with UpgradePeer(directory) as peer:
        thread = threading.Thread(target=peer.serve_forever, daemon=True)
        thread.start()
        yield peer
        peer.shutdown()
        thread.join()
