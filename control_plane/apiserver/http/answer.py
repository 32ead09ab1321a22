"""What a handler answers, and how it goes over the wire."""

import asyncio
import gzip
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import yaml

from control_plane.api.errors import ApiError
from control_plane.api.objects import Object
from control_plane.apiserver.http.accept import JSON, YAML
from control_plane.apiserver.http.request import Request

GZIP_FROM_BYTES = 128 * 1024
MAX_WARNING_CHARACTERS = 4096
CUT_WARNING_CHARACTERS = 256
_PRETTY_AGENTS = ("curl", "Wget", "Mozilla/5.0")

Send = Callable[[Any], Awaitable[None]]
Header = tuple[bytes, bytes]


class Reply(Protocol):
    """Anything that can answer a request: an Answer, a watch, a stream of logs."""

    async def send_to(self, request: Request, send: Send) -> None:
        """Send it all; returns when the answer is complete or the client has gone."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: tuple[Header, ...] = field(default_factory=tuple)

    async def send_to(self, request: Request, send: Send) -> None:
        """Send head and body, compressed when that pays."""
        body, extra = self.body, []
        if _pays_to_compress(body, request):
            body = await asyncio.to_thread(gzip.compress, body, 1)
            extra = [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        length = (b"content-length", str(len(body)).encode())
        headers = [*head(request, self.media_type), length, *extra, *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def json_answer(document: Any, request: Request, status: int = 200) -> Answer:
    """A JSON document, indented for people who read it with curl or a browser."""
    return encoded_answer(orjson.dumps(document), JSON, request, status)


def encoded_answer(body: bytes, media_type: str, request: Request, status: int = 200) -> Answer:
    """JSON bytes in the media type that was negotiated."""
    if media_type == YAML:
        text = yaml.dump(orjson.loads(body), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
        return Answer(status, text.encode(), YAML)
    if _is_pretty(request):
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)
    return Answer(status, body + b"\n", JSON)


_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def error_answer(error: ApiError, request: Request) -> Answer:
    """The Status of an error."""
    answer = json_answer(error.status(), request, error.code)
    if not error.retry_after_seconds:
        return answer
    retry = (b"retry-after", str(error.retry_after_seconds).encode())
    return Answer(answer.status, answer.body, answer.media_type, (retry,))


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
    return json_answer(document, request, status)


def head(request: Request, media_type: str) -> list[Header]:
    """The headers of every answer."""
    return [
        (b"audit-id", str(uuid.uuid4()).encode()),
        (b"cache-control", b"no-cache, private"),
        (b"content-type", media_type.encode()),
        *((b"warning", value) for value in warning_values(request.warnings)),
    ]


def warning_values(texts: list[str]) -> list[bytes]:
    """Warning headers: all of them whole, or each cut when together they are too long."""
    if sum(map(len, texts)) > MAX_WARNING_CHARACTERS:
        texts = [text[:CUT_WARNING_CHARACTERS] for text in texts]
        texts = texts[: MAX_WARNING_CHARACTERS // CUT_WARNING_CHARACTERS]
    printable = (text for text in texts if text.isprintable())
    return [f'299 - "{_quoted(text)}"'.encode() for text in printable]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _pays_to_compress(body: bytes, request: Request) -> bool:
    return len(body) >= GZIP_FROM_BYTES and "gzip" in request.header(b"accept-encoding")


def _is_pretty(request: Request) -> bool:
    asked = request.query.optional_flag("pretty")
    if asked is not None:
        return asked
    return request.header(b"user-agent").startswith(_PRETTY_AGENTS)
