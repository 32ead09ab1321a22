"""A client that is gone in the middle of anything leaves nothing behind in the server."""

import gc
import time
from collections.abc import Callable, Iterator

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from control_plane.apiserver.http.protocols import HttpProtocol
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.storage.watcher import Watcher
from tests.control_plane.apiserver.objects import config_map
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.raw_http import RawConnection

SECONDS = 30
CLIENTS = 12
HOST = b"Host: x\r\n"


looked_at: list[ThreadedApiServer] = []


@pytest.fixture(autouse=True)
def _looked_at(server: ThreadedApiServer) -> None:
    """Look at objects in the server's thread: elsewhere half-made tuples would be among them.

    Python cannot finish a tuple that somebody else has.
    """
    looked_at[:] = [server]


def held() -> dict[str, int]:
    """What the server, which runs in this process, holds for clients."""
    found: dict[str, int] = looked_at[0].call(_held)
    return found


def _held() -> dict[str, int]:
    gc.collect()
    kinds = (HttpProtocol, Request, Watcher)
    counts = dict.fromkeys((kind.__name__ for kind in kinds), 0)
    for item in gc.get_objects():
        if type(item) in kinds:
            counts[type(item).__name__] += 1
    return counts


def until(is_so: Callable[[dict[str, int]], bool]) -> dict[str, int]:
    """Return what is held as soon as it is so, or as it is at the end."""
    deadline = time.monotonic() + SECONDS
    while not is_so(counts := held()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return counts


@pytest.fixture
def clients(server: ThreadedApiServer) -> Iterator[list[RawConnection]]:
    """Connections that a test sends half of something over."""
    opened = [RawConnection(server.server.port, server.pki) for _ in range(CLIENTS)]
    yield opened
    for each in opened:
        each.socket.close()


def leaves_nothing(clients: list[RawConnection], sent: bytes, read: int, expected: str) -> None:
    """Send and read a part, see that the server holds something for each, leave, see it go.

    Of an answer that is all with the transport only the connection is held: `expected` is "".
    """
    # the last test's requests may still be on their way out
    before = until(lambda counts: counts["HttpProtocol"] >= CLIENTS and not counts["Request"])
    for client in clients:
        client.socket.sendall(sent)
        if read:
            assert client.socket.recv(read)
    if expected:
        during = until(lambda counts: counts[expected] >= before[expected] + CLIENTS)
        assert during[expected] >= before[expected] + CLIENTS
    for client in clients:
        client.socket.close()
    after = until(
        lambda counts: (
            counts["HttpProtocol"] <= before["HttpProtocol"] - CLIENTS
            and counts["Request"] <= before["Request"]
            and counts["Watcher"] <= before["Watcher"]
        )
    )
    assert after["HttpProtocol"] <= before["HttpProtocol"] - CLIENTS
    assert after["Request"] <= before["Request"]
    assert after["Watcher"] <= before["Watcher"]


@pytest.mark.parametrize("method", [b"POST", b"PATCH"])
def test_in_the_middle_of_a_body(
    clients: list[RawConnection], namespace: str, method: bytes
) -> None:
    name = b"" if method == b"POST" else b"/a"
    path = f"/api/v1/namespaces/{namespace}/configmaps".encode() + name
    kind = b"application/json" if method == b"POST" else b"application/merge-patch+json"
    head = b"%s %s HTTP/1.1\r\n%sContent-Type: %s\r\nContent-Length: 2000000\r\n\r\n"
    body = b'{"data": {"x": "' + b"y" * 100_000
    leaves_nothing(clients, head % (method, path, HOST, kind) + body, 0, "Request")


def test_in_the_middle_of_a_watch(clients: list[RawConnection], namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps?watch=true".encode()
    leaves_nothing(clients, b"GET %s HTTP/1.1\r\n%s\r\n" % (path, HOST), 10, "Watcher")


def test_in_the_middle_of_an_answer(
    clients: list[RawConnection], api: RawApi, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(24):
        assert api.post(path, config_map(f"c{number}", x="y" * 500_000)).code == 201
    leaves_nothing(clients, b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), HOST), 10, "")


def test_an_answered_request_is_freed_at_once(
    clients: list[RawConnection], api: RawApi, namespace: str
) -> None:
    """What only the garbage collector frees makes all requests wait for its rounds."""
    path = f"/api/v1/namespaces/{namespace}/configmaps".encode()
    asked = b"GET %s HTTP/1.1\r\n%s\r\n" % (path, HOST)
    held()  # collects
    gc.disable()
    try:
        before = exchanges()
        for _ in range(CLIENTS):
            assert clients[0].ask(asked).code == 200
        after = exchanges()
    finally:
        gc.enable()
    assert after < before + CLIENTS


def exchanges() -> int:
    """How many requests and answers are in memory, those included that nobody refers to."""
    found: int = looked_at[0].call(_exchanges)
    return found


def _exchanges() -> int:
    kinds = (Request, RequestResponseCycle)
    return len([item for item in gc.get_objects() if type(item) in kinds])
