"""A client that sends and takes protobuf, as Kubernetes' components do."""

from collections.abc import Iterator
from typing import Any

import requests

from control_plane.apiserver.protobuf import envelope
from control_plane.apiserver.protobuf.wire_format import fields, raw
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import Answer, RawApi

PROTOBUF = "application/vnd.kubernetes.protobuf"
SECONDS = 30


class ProtobufApi:
    """Wraps a RawApi; objects are JSON to the caller and protobuf on the wire."""

    def __init__(self, api: RawApi) -> None:
        self._api = api

    def send(self, method: str, path: str, obj: Any = None, accept: str = PROTOBUF) -> Answer:
        """Send an object with kind and apiVersion."""
        body = envelope.encode(obj) if obj is not None else None
        return self._api.request(method, path, body, {"Content-Type": PROTOBUF, "Accept": accept})

    def get(self, path: str, accept: str = PROTOBUF) -> Any:
        """GET an object, which must come in protobuf."""
        return content(self.send("GET", path, accept=accept))


def content(answer: Answer) -> Any:
    """Return the object of an answer in protobuf."""
    assert answer.headers["Content-Type"] == PROTOBUF, answer.text
    return envelope.decode(answer.content)


def watched(server: ThreadedApiServer, path: str, accept: str = PROTOBUF) -> Iterator[Any]:
    """Yield a watch's events until it ends: as JSON has them, read from length-delimited frames."""
    pair = server.pki.pair("admin")
    with requests.Session() as session:
        session.trust_env = False
        response = session.get(
            server.url + path, headers={"Accept": accept}, stream=True, timeout=SECONDS,
            verify=str(server.pki.pair("ca").certificate),
            cert=(str(pair.certificate), str(pair.key)),
        )  # fmt: skip
        assert response.headers["Content-Type"] == f"{PROTOBUF};stream=watch", response.text
        with response:
            while size := response.raw.read(4):
                yield _event(response.raw.read(int.from_bytes(size)))


def _event(frame: bytes) -> Any:
    event = dict(fields(frame))
    held = dict(fields(raw(event[2])))
    return {"type": raw(event[1]).decode(), "object": envelope.decode(raw(held[1]))}
