"""A connection that a client has had upgraded, passed on as bytes to the server that serves it.

WebSockets and SPDY/3.1 alike: the client's handshake is passed on, so that the two ends agree on
the protocol between themselves, and pings, half-closes and limits are theirs. A server that refuses
is quoted as it answered, as upstream does.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from control_plane.api.errors import BadRequest, InternalError
from control_plane.apiserver.auth.authz import Attributes
from control_plane.apiserver.http.answer import Reply, Send
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.proxying.relay import run_relay
from control_plane.streams.relay import copy, pass_on
from control_plane.streams.upgrade import (
    Endpoint,
    UpgradeAnswer,
    UpgradeError,
    ask_for_upgrade,
    request_head,
)

UPGRADE_REQUIRED = "Upgrade request required"
REFUSAL_SECONDS = 10.0
_HANDSHAKE = frozenset({b"connection", b"content-length", b"upgrade", b"x-stream-protocol-version"})


def authorize_stream(services: ApiServices, request: Request, target: Target) -> None:
    """A GET that opens a stream needs the permission to create it, too; raises Forbidden."""
    if request.method == "GET":
        plural, subresource = target.resource.plural, target.subresource
        services.authorizer.authorize(
            request.user,
            Attributes(
                "create", request.path, "", plural, subresource, target.namespace, target.name
            ),
        )


async def relayed_to_kubelet(services: ApiServices, request: Request, url: str) -> Reply:
    """A reply that connects the client with its pod's kubelet; raises what the client is told."""
    if not request.upgrade:
        raise BadRequest(UPGRADE_REQUIRED)
    parts = urlsplit(url)
    endpoint = Endpoint(parts.hostname or "", parts.port or 443, services.kubelets.tls)
    lines = [(b"host", parts.netloc.encode()), *handshake_lines(request.header_lines)]
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return await relayed(services, endpoint, request_head(request.method, target, lines))


def handshake_lines(lines: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What belongs to the handshake of an upgrade."""
    return [
        (name, value)
        for name, value in lines
        if name in _HANDSHAKE or name.startswith(b"sec-websocket-")
    ]


async def relayed(services: ApiServices, endpoint: Endpoint, head: bytes) -> Reply:
    """A reply that connects the client with `endpoint`, which is asked for the upgrade first."""
    try:
        answer = await ask_for_upgrade(endpoint, head)
    except UpgradeError as error:
        raise InternalError.of(f"error dialing backend: {error}") from error
    if not answer.is_upgraded and answer.status < 400:
        await answer.wire.close()
        raise InternalError.of(f"invalid upgrade response: status code {answer.status}")
    return UpgradeReply(answer, services.kubelets.streams)


@dataclass(frozen=True, slots=True)
class UpgradeReply:
    """The client's connection and the server's, joined; or the server's refusal."""

    answer: UpgradeAnswer
    streams: set[asyncio.Task[None]]

    async def send_to(self, request: Request, send: Send) -> None:
        """Relay until either side closes, or this server stops."""
        request.release_seat()
        try:
            await run_relay(self.streams, self._relay(request), None)
        finally:
            await self.answer.wire.close()

    async def _relay(self, request: Request) -> None:
        assert request.connection is not None
        client = request.connection.take_over()
        try:
            await client.write(self.answer.head)
            if self.answer.is_upgraded:
                await pass_on(client, self.answer.wire)
            else:
                async with asyncio.timeout(REFUSAL_SECONDS):
                    await copy(self.answer.wire, client, self.answer.content_length())
        finally:
            await client.close()
