"""One streaming call as an ASGI application sees it: gRPC's part of it.

Messages are in the body (`framing`), the status is in the trailers, the deadline in a header.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from datastore.rpc.answering import Edge, Stream, check_client_version
from datastore.rpc.counting import CODES, MethodCounts
from datastore.rpc.framing import Frames, framed
from datastore.rpc.streaming import Conversation, outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping

    from datastore.rpc.answering import Metadata

    Event = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Event]]
    Send = Callable[[Event], Awaitable[None]]

NUMBERS = {name: str(number).encode() for number, name in CODES.items()}
UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
PRINTABLE = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"  # what a status text holds as it is: all but %
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/grpc")],
    "trailers": True,
}


class Answers:
    """What goes back: the headers once, messages, and a status in the trailers."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._started = False

    async def write(self, messages: list[bytes]) -> None:
        """Send messages; wait while the client does not read."""
        await self._body(framed(messages), more=True)

    async def end(self, code: str, text: str) -> None:
        """Send the status, by the name of its code."""
        status = [(b"grpc-status", NUMBERS[code])]
        if text:
            status.append((b"grpc-message", quote(text, safe=PRINTABLE).encode()))
        await self._body(b"", more=False)
        await self._send({"type": "http.response.trailers", "headers": status})

    async def _body(self, data: bytes, *, more: bool) -> None:
        if not self._started:
            self._started = True
            await self._send(START)
        await self._send({"type": "http.response.body", "body": data, "more_body": more})


class StreamCall(NamedTuple):
    """A call of a method, and its two ends; `metadata` is that of `metadata_of`."""

    edge: Edge
    method: Stream
    counts: MethodCounts
    metadata: list[tuple[str, str]]
    receive: Receive
    answers: Answers

    async def answer(self) -> None:
        """Answer it, whatever becomes of it."""
        self.counts.started += 1
        begun = perf_counter()
        code, text = "CANCELLED", ""
        try:
            try:
                async with asyncio.timeout(timeout(self.metadata)):
                    code, text = await outcome(self._conversation)
            except TimeoutError:
                code, text = "DEADLINE_EXCEEDED", "context deadline exceeded"
            await self.answers.end(code, text)
        finally:
            self.counts.end(code, begun)

    def _conversation(self) -> Conversation:
        check_client_version(self.metadata)
        edge = self.edge
        frames = Frames(edge.max_message_bytes, header(self.metadata, "grpc-encoding"))
        seen = edge.of_call(self.metadata, None) if edge.wants_callers else edge
        incoming = _messages(self.receive, frames)
        return Conversation(seen, self.method, self.counts, incoming, self.answers.write)


async def _messages(receive: Receive, frames: Frames) -> AsyncIterator[list[bytes]]:
    """Yield what arrives until the client ends its half."""
    more = True
    while more:
        event = await receive()
        for messages in frames.feed(event.get("body", b"")):
            yield messages
        more = event.get("more_body", False)
    frames.end()


def metadata_of(headers: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return headers as metadata; what is no ASCII is read as Latin-1."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def header(metadata: Metadata, wanted: str) -> str:
    """Return the first value of a header, empty for none."""
    return next((str(value) for name, value in metadata if name == wanted), "")


def timeout(metadata: Metadata) -> float | None:
    """Return the seconds in `grpc-timeout`, as 100m; None for none, or one that is no time."""
    text = header(metadata, "grpc-timeout")
    unit = UNITS.get(text[-1:])
    return int(text[:-1]) * unit if unit and text[:-1].isdecimal() else None
