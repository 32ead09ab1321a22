"""A webhook server of the tests: HTTPS with a certificate authority of its own, in threads.

What it answers at a path is a function of the review it gets: an AdmissionResponse without its uid,
or a RawAnswer for what is none. `reviews` are all it has got, `bodies` as they came.
"""

import base64
import contextlib
import datetime
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from control_plane.pki.authority import Authority, Identity, KeyPair

Object = dict[str, Any]
LOOPBACK = "127.0.0.1"


class RawAnswer(NamedTuple):
    """An HTTP answer, whatever it says; the connection ends after it when it lacks bytes.

    Without a code there is no HTTP about the body, after which the connection ends.
    """

    code: int
    body: bytes = b""
    lacking: int = 0


Answering = Callable[[Object], "Object | RawAnswer"]


def allowed(**more: Any) -> Answering:
    """A webhook that allows everything."""
    return lambda _review: {"allowed": True, **more}


def denied(**status: Any) -> Answering:
    """A webhook that refuses everything."""
    return lambda _review: {"allowed": False, "status": status}


def patch(*operations: Object) -> Object:
    """The part of an answer that changes the object."""
    encoded = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"patchType": "JSONPatch", "patch": encoded}


def patching(*operations: Object) -> Answering:
    """A webhook that makes the same changes of every object."""
    return allowed(**patch(*operations))


class WebhookPeer:
    """Runs in threads of its own."""

    def __init__(self, directory: Path, dns_name: str = "webhook.default.svc") -> None:
        now = datetime.datetime.now(datetime.UTC)
        directory.mkdir(parents=True, exist_ok=True)
        ca = KeyPair(directory / "hook-ca.crt", directory / "hook-ca.key")
        own = KeyPair(directory / "hook.crt", directory / "hook.key")
        address = ipaddress.ip_address(LOOPBACK)
        identity = Identity("webhook", dns_names=(dns_name,), addresses=(address,))
        Authority.open(ca, now).ensure(own, identity, now)
        self.ca_bundle = base64.b64encode(ca.certificate.read_bytes()).decode()
        self.answers: dict[str, Answering] = {}
        self.reviews: list[Object] = []
        self.paths: list[str] = []
        self.headers: list[Any] = []
        self.connections = 0
        self._server = ThreadingHTTPServer(("0.0.0.0", 0), _handler(self))
        self._server.daemon_threads = True
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(own.certificate, own.key)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def forget(self) -> None:
        """Begin a new test."""
        self.answers.clear()
        for seen in (self.reviews, self.paths, self.headers):
            seen.clear()

    def client(self, path: str) -> Object:
        """The clientConfig of the webhook at a path."""
        url = f"https://{LOOPBACK}:{self.port}{path}"
        return {"url": url, "caBundle": self.ca_bundle}

    def requests_at(self, path: str) -> list[Object]:
        """The requests that came to a path."""
        found = zip(self.paths, self.reviews, strict=True)
        return [review["request"] for at, review in found if at.partition("?")[0] == path]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(peer: WebhookPeer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            peer.connections += 1

        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            peer.paths.append(self.path)
            peer.headers.append(self.headers)
            peer.reviews.append(review)
            answer = peer.answers[self.path.partition("?")[0]](review)
            if not isinstance(answer, RawAnswer):
                response = {"uid": review["request"]["uid"], **answer}
                body = json.dumps({**review, "request": None, "response": response}).encode()
                answer = RawAnswer(200, body)
            self.close_connection = bool(answer.lacking) or not answer.code
            if not answer.code:
                self.wfile.write(answer.body)
                return
            self.send_response(answer.code)
            self.send_header("Content-Length", str(len(answer.body) + answer.lacking))
            self.end_headers()
            with contextlib.suppress(OSError):  # who asked may have heard enough
                self.wfile.write(answer.body)

        def log_message(self, *_: Any) -> None:
            """The tests say what matters."""

    return Handler
