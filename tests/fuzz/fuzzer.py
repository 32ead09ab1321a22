"""Sends requests to a server and notes what it must not answer."""

import http.client
import ssl
import time
from collections import Counter
from pathlib import Path

from control_plane.pki.cluster import ClusterPki
from tests.fuzz.operations import Operation, operations, read_json
from tests.fuzz.requests import NAMESPACE, Request, Requests

# what a client gets that asks for a version which is yet to come, as upstream has it
ASKED_FOR = ("ResourceVersionTooLarge",)
SECONDS = 60.0  # an answer that takes longer counts as none


class Fuzzer:
    """One connection, kept open as long as the server keeps it.

    `codes` counts the answers, `faults` are the requests that were answered with 5xx or not at all.
    """

    def __init__(self, port: int, pki: ClusterPki) -> None:
        pair = pki.pair("admin")
        self._tls = ssl.create_default_context(cafile=str(pki.pair("ca").certificate))
        self._tls.load_cert_chain(Path(pair.certificate), Path(pair.key))
        self._port = port
        self._connection = self._connect()
        self.codes: Counter[int] = Counter()
        self.faults: list[str] = []
        self.slowest = (0.0, "")

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            "127.0.0.1", self._port, timeout=SECONDS, context=self._tls
        )

    def close(self) -> None:
        self._connection.close()

    def operations(self) -> list[Operation]:
        """Return what the server offers, and make the namespace in which objects are made."""
        namespace = b'{"metadata":{"name":"%s"}}' % NAMESPACE.encode()
        json_type = {"Content-Type": "application/json"}
        self._ask(Request("POST", "/api/v1/namespaces", json_type, namespace, False))
        account = b'{"metadata":{"name":"default"}}'
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
        self._ask(Request("POST", path, json_type, account, False))
        return operations(
            lambda path: read_json(self._ask(Request("GET", path, {}, None, False))[1])
        )

    def run(self, requests: Requests, count: int) -> None:
        """Send so many requests."""
        for _ in range(count):
            self.send(requests.next())

    def send(self, request: Request) -> None:
        """Send one request and judge its answer."""
        begun = time.monotonic()
        try:
            code, body = self._ask(request)
        except (OSError, http.client.HTTPException) as error:
            self._reconnect()
            self._note(request, f"{type(error).__name__}: {error}")
            return
        self.slowest = max(
            self.slowest, (time.monotonic() - begun, f"{request.method} {request.path}"[:200])
        )
        self.codes[code] += 1
        if code >= 500 and not any(text in body for text in ASKED_FOR):
            self._note(request, f"{code} {body[:500]}")

    def _ask(self, request: Request) -> tuple[int, str]:
        self._connection.putrequest(
            request.method, request.path, skip_accept_encoding=True
        )  # fmt: skip
        for name, value in request.headers.items():
            self._connection.putheader(name, value.encode("latin-1"))
        if request.body is not None:
            self._connection.putheader("Content-Length", str(len(request.body)))
        self._connection.endheaders(request.body)
        answer = self._connection.getresponse()
        if request.is_stream and answer.status == 200:
            self._reconnect()  # a client that leaves in the middle
            return answer.status, ""
        return answer.status, answer.read().decode(errors="replace")

    def _reconnect(self) -> None:
        self._connection.close()
        self._connection = self._connect()

    def _note(self, request: Request, trouble: str) -> None:
        body = (request.body or b"")[:700]
        self.faults.append(
            f"{request.method} {request.path[:300]} {request.headers}\n  {body!r}\n  {trouble}"
        )
