"""A stream as WebSocket messages: watches and logs, for clients that cannot read HTTP in pieces.

The reply itself is that of HTTP; what it sends becomes messages. What the client sends is ignored.
Source: the WebSocket forms of watch and of pods/log in Kubernetes v1.35.
"""

import base64
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.api.errors import Forbidden
from control_plane.apiserver.http.answer import Reply, Send
from control_plane.apiserver.http.request import Request

Messages = Callable[[bytes], Iterator[Any]]
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class SocketReply:
    """`messages` makes each piece of the reply's body messages; `protocol` "" is none."""

    reply: Reply
    messages: Messages
    protocol: str = ""

    async def send_to(self, request: Request, send: Send) -> None:
        """Accept, send the reply as messages, close."""

        async def as_messages(event: Any) -> None:
            if event["type"] == "http.response.start":
                protocol = self.protocol or None
                await send({"type": "websocket.accept", "subprotocol": protocol})
                return
            if event["body"]:
                for message in self.messages(event["body"]):
                    await send({"type": "websocket.send", **message})
            if not event.get("more_body", False):
                await send({"type": "websocket.close", "code": 1000})

        await self.reply.send_to(request, as_messages)


def watch_socket(reply: Reply, request: Request, *, is_text: bool) -> SocketReply:
    """A watch: a message for each event, text for JSON. Any one protocol is taken."""
    return SocketReply(reply, _lines if is_text else _frames, "".join(request.subprotocols[:1]))


def log_socket(reply: Reply, request: Request) -> SocketReply:
    """A log: a message for each piece, as the protocol has it; raises Forbidden for others."""
    protocol = log_protocol(request.subprotocols)
    return SocketReply(reply, _LOG_PROTOCOLS[protocol], protocol)


def log_protocol(offered: Sequence[str]) -> str:
    """The first offered protocol that is known, "" for no offer; raises Forbidden."""
    for name in offered or [""]:
        if name in _LOG_PROTOCOLS:
            return name
    known = " ".join(name for name in _LOG_PROTOCOLS if name)
    text = f"requested protocol(s) are not supported: {list(offered)}; supports [{known}]"
    raise Forbidden(text)


def _lines(body: bytes) -> Iterator[Any]:
    for line in body.splitlines(keepends=True):
        yield {"text": line.decode()}


def _frames(body: bytes) -> Iterator[Any]:
    position = 0
    while position < len(body):
        (length,) = _LENGTH.unpack_from(body, position)
        position += _LENGTH.size
        yield {"bytes": body[position : position + length]}
        position += length


def _binary(body: bytes) -> Iterator[Any]:
    yield {"bytes": body}


def _base64(body: bytes) -> Iterator[Any]:
    yield {"text": base64.b64encode(body).decode()}


_LOG_PROTOCOLS: Mapping[str, Messages] = {
    "": _binary,
    "binary.k8s.io": _binary,
    "base64.binary.k8s.io": _base64,
}
