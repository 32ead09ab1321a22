"""What a handler answers, and how it goes over the wire."""

import asyncio
import dataclasses
import functools
import gzip
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from control_plane.api.errors import ApiError, NotAcceptable
from control_plane.api.objects import Object
from control_plane.apiserver.http.accept import (
    JSON,
    NO_FORMS,
    PROTOBUF,
    YAML,
    Accepted,
    negotiate,
)
from control_plane.apiserver.http.parted_body import PIECE_BYTES, Body, PartedBody
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.warning_headers import warning_values
from control_plane.apiserver.http.whole_answer import head_lines, send_whole
from control_plane.apiserver.http.yaml_form import yaml_of
from control_plane.apiserver.protobuf import envelope

GZIP_FROM_BYTES = 128 * 1024
MAX_HEADS = 1024  # kinds of answers times flow schemas
_PRETTY_AGENTS = (b"curl", b"Wget", b"Mozilla/5.0")

Send = Callable[[Any], Awaitable[None]]
Header = tuple[bytes, bytes]


class Reply(Protocol):
    """Anything that can answer a request: an Answer, a watch, a stream of logs."""

    async def send_to(self, request: Request, send: Send) -> None:
        """Send it all; returns when the answer is complete or the client has gone."""
        ...


@dataclass(slots=True)  # not frozen: that costs every request a microsecond
class Answer:
    """A complete answer; its `headers` replace those that every answer has.

    With `as_yaml` the body is JSON, which becomes YAML when it is sent.
    """

    status: int
    body: Body
    media_type: str = JSON
    headers: tuple[Header, ...] = field(default_factory=tuple)
    as_yaml: bool = False

    async def send_to(self, request: Request, send: Send) -> None:
        """Send head and body, compressed when that pays."""
        body, extra = self.body, []
        if self.as_yaml:
            body = await yaml_of(bytes(body))
        if request.cycle is not None and self._is_plain(request):
            lines = _plain_head(self.status, self.media_type, request.flow_headers)
            audit_id = b"audit-id: %s\r\n" % request.audit_id
            await send_whole(request.cycle(), lines + audit_id, bytes(body))
            return
        if _pays_to_compress(body, request):
            body = await asyncio.to_thread(_compressed, body)
            extra = [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        length = (b"content-length", str(len(body)).encode())
        own = {name for name, _value in self.headers}
        usual = [header for header in head(request, self.media_type) if header[0] not in own]
        headers = [*usual, length, *extra, *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await _send_body(body, send)

    def _is_plain(self, request: Request) -> bool:
        """Whether only what every answer has stands in the head, and the body goes as it is."""
        is_special = self.headers or request.warnings
        return not is_special and len(self.body) < GZIP_FROM_BYTES


async def _send_body(body: Body, send: Send) -> None:
    """Send it piece by piece: what is written at once stays with the connection as TLS's room."""
    pieces = body.pieces() if isinstance(body, PartedBody) else _pieces(body)
    piece = next(pieces, b"")
    for following in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        piece = following
    await send({"type": "http.response.body", "body": piece})


def _pieces(body: bytes) -> Iterator[bytes | memoryview]:
    whole = memoryview(body)
    for start in range(0, len(body), PIECE_BYTES):
        yield whole[start : start + PIECE_BYTES]


def _compressed(body: Body) -> bytes:
    return gzip.compress(bytes(body), 1)


def json_answer(document: Any, request: Request, status: int = 200) -> Answer:
    """A JSON document, indented for people who read it with curl or a browser."""
    return encoded_answer(orjson.dumps(document), Accepted(), request, status)


def encoded_answer(body: bytes, accepted: Accepted, request: Request, status: int = 200) -> Answer:
    """JSON bytes of an object in the media type that was negotiated."""
    if accepted.media_type == PROTOBUF:
        return Answer(status, envelope.encode(orjson.loads(body)), PROTOBUF)
    if accepted.media_type == YAML:
        return Answer(status, body, YAML, as_yaml=True)
    if wants_indented(accepted, request):
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)
    return Answer(status, body if body.endswith(b"\n") else body + b"\n", JSON)


def wants_indented(accepted: Accepted, request: Request) -> bool:
    """Whether JSON is to be indented: by what the client accepts, asks or is."""
    return accepted.is_pretty or _is_pretty(request)


def negotiated_answer(document: Object, request: Request, status: int = 200) -> Answer:
    """A document that is no resource's object (a Status, a token) as the client accepts it.

    Raises NotAcceptable.
    """
    has_protobuf = envelope.has_message(document.get("apiVersion", "v1"), document["kind"])
    header = request.header(b"accept")
    accepted = negotiate(header, forms=NO_FORMS, has_protobuf=has_protobuf)
    return encoded_answer(orjson.dumps(document), accepted, request, status)


def error_answer(error: ApiError, request: Request) -> Answer:
    """The Status of an error; what can be said in no accepted way is said in JSON."""
    try:
        answer = negotiated_answer(error.status(), request, error.code)
    except NotAcceptable:
        answer = json_answer(error.status(), request, error.code)
    if not error.retry_after_seconds:
        return answer
    retry = (b"retry-after", str(error.retry_after_seconds).encode())
    return dataclasses.replace(answer, headers=(retry,))


def text_answer(text: str, status: int = 200) -> Answer:
    """Plain text."""
    nosniff = (b"x-content-type-options", b"nosniff")
    return Answer(status, text.encode(), "text/plain; charset=utf-8", (nosniff,))


def success_status(details: Object, request: Request, status: int = 200) -> Answer:
    """The Status of a success that has no object to show."""
    document: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }
    if status != 200:
        document["code"] = status
    return negotiated_answer(document, request, status)


def head(request: Request, media_type: str) -> list[Header]:
    """The headers of every answer."""
    return [
        (b"audit-id", request.audit_id),
        *_fixed_headers(media_type),
        *request.flow_headers,
        *((b"warning", value) for value in warning_values(request.warnings)),
    ]


@functools.lru_cache(maxsize=MAX_HEADS)
def _plain_head(status: int, media_type: str, flow_headers: tuple[Header, ...]) -> bytes:
    return head_lines(status, (*_fixed_headers(media_type), *flow_headers))


def _fixed_headers(media_type: str) -> tuple[Header, ...]:
    return (b"cache-control", b"no-cache, private"), (b"content-type", media_type.encode())


def _pays_to_compress(body: Body, request: Request) -> bool:
    if len(body) < GZIP_FROM_BYTES:
        return False
    encodings = request.header(b"accept-encoding").split(",")
    return any(encoding.strip() == "gzip" for encoding in encodings)


def _is_pretty(request: Request) -> bool:
    asked = request.query.optional_flag("pretty")
    if asked is not None:
        return asked
    return request.headers.get(b"user-agent", b"").startswith(_PRETTY_AGENTS)
