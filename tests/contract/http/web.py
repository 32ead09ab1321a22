"""Plain HTTP to a server's client and metrics URLs: requests as written, answers as they came."""

import base64
import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.support.ports import free_port

SECONDS = 60.0
Body = bytes | str | Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def messages(self) -> list[Any]:
        """The messages of a stream that has ended."""
        return [json.loads(line) for line in self.body.splitlines() if line]


class Stream:
    """The open answer of a stream."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self._response = response

    def read(self) -> Any:
        """Return the next message."""
        return json.loads(self._response.readline())

    def result(self) -> Any:
        """Return what the next message holds, which is no error."""
        return self.read()["result"]

    def ended(self) -> bool:
        """Wait for the end, without a further message."""
        return self._response.readline() == b""


class Web:
    """Speaks to one listener."""

    def __init__(self, address: str) -> None:
        self.address = address

    def send(
        self, method: str, path: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request and return the whole answer."""
        with self._connection() as connection:
            connection.request(method, path, _encoded(body), dict(headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())

    def get(self, path: str, **headers: str) -> Answer:
        """GET a path."""
        return self.send("GET", path, headers=headers)

    def call(self, path: str, body: Body = "{}", headers: Mapping[str, str] | None = None) -> Any:
        """POST to the gateway and return the answer, which is no error."""
        answer = self.send("POST", f"/v3/{path}", body, headers)
        assert answer.status == 200, answer
        return answer.json

    @contextmanager
    def stream(
        self, path: str, body: Body, headers: Mapping[str, str] | None = None
    ) -> Iterator[Stream]:
        """POST to the gateway, whole body at once, and read the answer as it comes."""
        with self._connection() as connection:
            connection.request("POST", f"/v3/{path}", _encoded(body), dict(headers or {}))
            yield Stream(connection.getresponse())

    @contextmanager
    def talk(self, path: str) -> Iterator["Talk"]:
        """POST to the gateway with a body that stays open."""
        with self._connection() as connection:
            yield Talk(connection, f"/v3/{path}")

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        with closing(http.client.HTTPConnection(self.address, timeout=SECONDS)) as connection:
            yield connection


class Talk:
    """A request whose body and answer go on side by side."""

    def __init__(self, connection: http.client.HTTPConnection, path: str) -> None:
        self._connection = connection
        connection.putrequest("POST", path)
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()

    def say(self, message: Mapping[str, Any]) -> None:
        """Send one more message."""
        encoded = json.dumps(message).encode()
        self._connection.send(b"%x\r\n%b\r\n" % (len(encoded), encoded))

    def hang_up(self) -> None:
        """End the body."""
        self._connection.send(b"0\r\n\r\n")

    def listen(self) -> Stream:
        """Return the answer, once it has begun."""
        return Stream(self._connection.getresponse())


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a server is to serve HTTP, beside its gRPC port."""

    client: int
    metrics: int

    @staticmethod
    def chosen() -> "Ports":
        """Return two free ports."""
        return Ports(free_port(), free_port())

    @property
    def flags(self) -> list[str]:
        """The flags for that."""
        return [
            f"--listen-client-http-urls=http://127.0.0.1:{self.client}",
            f"--listen-metrics-urls=http://127.0.0.1:{self.metrics}",
        ]

    def wait(self) -> None:
        """Return when both answer: a real etcd serves gRPC and HTTP in no order."""
        for port in (self.client, self.metrics):
            eventually(partial(_listens, port), f"listening on port {port}")

    @property
    def web(self) -> Web:
        """Whoever speaks to the client URL."""
        return Web(f"127.0.0.1:{self.client}")

    @property
    def metrics_web(self) -> Web:
        """Whoever speaks to the metrics URL."""
        return Web(f"127.0.0.1:{self.metrics}")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def b64(data: bytes) -> str:
    """Return bytes as JSON has them."""
    return base64.b64encode(data).decode()


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds, that is on its way already."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.02)


def send_raw(address: str, data: bytes) -> bytes:
    """Send bytes on a connection of their own and return everything that comes back."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=SECONDS) as raw:
        raw.sendall(data)
        received = b""
        while chunk := raw.recv(65536):
            received += chunk
        return received


def _encoded(body: Body) -> bytes | None:
    if isinstance(body, bytes) or body is None:
        return body
    return (body if isinstance(body, str) else json.dumps(body)).encode()
