"""The SPDY/3.1 handshake: negotiation of the protocol spoken in the streams, and the takeover.

Called by remote_command.py and port_forward.py. Source of the texts: apimachinery httpstream.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from control_plane.streams.takeover import TakenWire
from control_plane.streams.upgrade import SWITCHING_PROTOCOLS, answer_head
from node.kubelet.streaming.context import text_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

SPDY = "SPDY/3.1"
PROTOCOL_HEADER = "X-Stream-Protocol-Version"
ACCEPTED_HEADER = "X-Accepted-Stream-Protocol-Versions"


@dataclass(frozen=True, slots=True)
class Negotiation:
    """The protocol that both ends know, or why there is none."""

    protocol: str = ""
    refusal: web.Response | None = None


def wants_spdy(request: web.Request) -> bool:
    """Whether a request asks for an upgrade to SPDY/3.1."""
    connection = ",".join(request.headers.getall("Connection", [])).lower()
    return "upgrade" in connection and request.headers.get("Upgrade", "").lower() == SPDY.lower()


def negotiate(request: web.Request, known: Sequence[str]) -> Negotiation:
    """Choose the first protocol of the client's that is `known`."""
    lines = request.headers.getall(PROTOCOL_HEADER, [])
    offered = [name.strip() for line in lines for name in line.split(",") if name.strip()]
    if not offered:
        text = f"unable to upgrade: {PROTOCOL_HEADER} is required\n"
        return Negotiation(refusal=text_error(400, text))
    chosen = next((name for name in offered if name in known), "")
    if chosen:
        return Negotiation(chosen)
    text = (
        f"unable to upgrade: unable to negotiate protocol: client supports "
        f"[{' '.join(offered)}], server accepts [{' '.join(known)}]\n"
    )
    refusal = text_error(403, text)
    for name in known:
        refusal.headers.add(ACCEPTED_HEADER, name)
    return Negotiation(refusal=refusal)


async def take_over(request: web.Request, protocol: str) -> TakenWire:
    """Switch protocols; raises ConnectionError when the client has gone."""
    if request.transport is None:
        raise ConnectionResetError("the client has gone")
    wire = TakenWire(request.transport, request.protocol)
    lines = [
        (b"Connection", b"Upgrade"),
        (b"Upgrade", SPDY.encode()),
        (PROTOCOL_HEADER.encode(), protocol.encode()),
    ]
    await wire.write(answer_head(SWITCHING_PROTOCOLS, "Switching Protocols", lines))
    return wire
