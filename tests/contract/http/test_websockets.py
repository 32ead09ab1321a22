"""WebSocket on the gateway's paths, and on others."""

import contextlib
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.contract.http.web import Web, b64


def joined(web: Web, path: str, **options: Any) -> ClientConnection:
    joined: ClientConnection = connect(
        f"ws://{web.address}{path}", open_timeout=60, close_timeout=1, **options
    )
    return joined


def answers(socket: ClientConnection, *messages: str | bytes) -> list[Any]:
    """Send messages, and return everything that comes until the server closes."""
    with contextlib.suppress(ConnectionClosed):  # an unknown path is answered unasked
        for message in messages:
            socket.send(message)
    received = []
    try:
        while True:
            received.append(json.loads(socket.recv(10)))
    except ConnectionClosed:
        return received


def test_a_watch(web: Web, key: bytes) -> None:
    with joined(web, "/v3/watch") as socket:
        socket.send(json.dumps({"create_request": {"key": b64(key)}}))
        created = json.loads(socket.recv(10))["result"]
        socket.send(json.dumps({"create_request": {"key": b64(key + b"2"), "watch_id": 5}}))
        second = json.loads(socket.recv(10))["result"]
        web.call("kv/put", {"key": b64(key)})
        event = json.loads(socket.recv(10))["result"]

    assert (created["created"], second["watch_id"]) == (True, "5")
    assert event["events"][0]["kv"]["key"] == b64(key)


@pytest.mark.parametrize("as_bytes", [False, True])
def test_one_answer(web: Web, key: bytes, as_bytes: bool) -> None:
    body = json.dumps({"key": b64(key)})
    with joined(web, "/v3/kv/range") as socket:
        (answer,) = answers(socket, body.encode() if as_bytes else body)

    assert set(answer) == {"header"}


@pytest.mark.parametrize(
    ("path", "code"), [("/v3/kv/range", 3), ("/v3/nope", 5), ("/v3beta/kv/range", 3)]
)
def test_refusals(web: Web, path: str, code: int) -> None:
    with joined(web, path) as socket:
        (answer,) = answers(socket, "{}")

    assert answer["code"] == code


def test_a_token_as_a_subprotocol(web: Web) -> None:
    with joined(web, "/v3/watch", subprotocols=["Bearer", "token"]) as socket:
        assert socket.subprotocol == "Bearer"


def test_other_paths_answer_over_http(web: Web) -> None:
    with pytest.raises(InvalidStatus) as refused:
        joined(web, "/version")

    assert refused.value.response.status_code == 200
