"""pods/exec over WebSockets: messages relayed to and from the kubelet, which speaks the same
sub-protocol (v5.channel.k8s.io or v4.channel.k8s.io).

The relay looks at no channel: half-closes, terminal sizes and exit codes are between client and
kubelet. Each direction waits for the other side's socket, so neither is read faster than the other
writes.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from control_plane.api.errors import ApiError, BadRequest, Forbidden, InternalError
from control_plane.apiserver.auth.authz import Attributes, authorize
from control_plane.apiserver.http.answer import Reply, Send
from control_plane.apiserver.http.query import Query
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.subresources.containers import container_of
from control_plane.apiserver.subresources.relay import end, run_relay

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
UPGRADE_REQUIRED = "Upgrade request required"
_STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}


async def upgrade_required(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST: the SPDY form, which is not served; clients use WebSockets.

    kubectl tries it after a refused WebSocket and shows this answer only, so what is wrong with the
    request itself, or what the kubelet has against it, comes first.
    """
    url = await _kubelet_url(services, request, target)
    refusal = await _refusal(services, url)
    raise refusal or BadRequest(f"{UPGRADE_REQUIRED}: exec is served over WebSockets")


async def relay(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET with an upgrade: run a command."""
    if not request.is_socket:
        raise BadRequest(UPGRADE_REQUIRED)
    authorize(
        request.user,
        Attributes("create", request.path, "", "pods", "exec", target.namespace, target.name),
    )
    protocol = next((name for name in PROTOCOLS if name in request.subprotocols), "")
    if not protocol:
        raise Forbidden(
            f"unable to negotiate protocol: client supports {request.subprotocols}, "
            f"server accepts {list(PROTOCOLS)}"
        )
    kubelet = await _connect(services, await _kubelet_url(services, request, target), protocol)
    return ExecReply(kubelet, protocol, services.kubelets.streams)


async def _kubelet_url(services: ApiServices, request: Request, target: Target) -> str:
    """The kubelet's URL of the command that is asked for; raises what the client has to mend."""
    parameters = exec_parameters(request.query)
    pod = await services.kubelets.pod(target.namespace, target.name)
    container = container_of(pod, request.query.text("container"))
    base = await services.kubelets.base_url(pod)
    return f"{base}/exec/{target.namespace}/{target.name}/{container}?{parameters}"


def exec_parameters(query: Query) -> str:
    """The kubelet's query string; raises BadRequest when no stream or no command is asked for."""
    wanted = [(name, their) for name, their in _STREAMS.items() if query.flag(name)]
    if not wanted:
        raise BadRequest("you must specify at least 1 of stdin, stdout, stderr")
    if not query.texts("command"):
        raise BadRequest("you must specify at least one command for the container")
    pairs = [(their, "1") for name, their in wanted if not (name == "stderr" and query.flag("tty"))]
    return urlencode([*(("command", word) for word in query.texts("command")), *pairs])


async def _connect(
    services: ApiServices, url: str, protocol: str
) -> aiohttp.ClientWebSocketResponse:
    try:
        return await services.kubelets.session.ws_connect(
            url, protocols=(protocol,), max_msg_size=MAX_MESSAGE_BYTES, autoclose=False
        )
    except aiohttp.WSServerHandshakeError as error:
        unexplained = InternalError.of(f"the kubelet refused: {error.status} {error.message}")
        raise await _refusal(services, url) or unexplained from error
    except (aiohttp.ClientError, OSError) as error:
        raise InternalError.of(f"error dialing backend: {error}") from error


async def _refusal(services: ApiServices, url: str) -> ApiError | None:
    """Why the kubelet would not run the command, in its words; None if it would.

    It is asked without an upgrade: it then looks at all that it looks at before, and runs nothing.
    """
    try:
        async with services.kubelets.session.get(url) as response:
            text = (await response.text()).strip()
    except (aiohttp.ClientError, OSError) as error:
        return InternalError.of(f"error dialing backend: {error}")
    if response.status < 400 or text == UPGRADE_REQUIRED:
        return None
    return BadRequest(text) if response.status < 500 else InternalError(text)


@dataclass(frozen=True, slots=True)
class ExecReply:
    """A relay between the client's socket and the kubelet's."""

    kubelet: aiohttp.ClientWebSocketResponse
    protocol: str
    streams: set[asyncio.Task[None]]

    async def send_to(self, request: Request, send: Send) -> None:
        """Relay until either side closes, or the server stops."""
        try:
            await send({"type": "websocket.accept", "subprotocol": self.protocol})
            await run_relay(self.streams, self._relay(request, send), None)
        finally:
            await self.kubelet.close()
        code = self.kubelet.close_code or 1000
        with contextlib.suppress(RuntimeError):  # the client has closed already
            await send({"type": "websocket.close", "code": code})

    async def _relay(self, request: Request, send: Send) -> None:
        inward = asyncio.create_task(self._inward(request))
        try:
            outward = asyncio.create_task(self._outward(send))
            try:
                await asyncio.wait((inward, outward), return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end(outward)
        finally:
            await end(inward)

    async def _inward(self, request: Request) -> None:
        while True:
            message = await request.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("bytes") is not None:
                await self.kubelet.send_bytes(message["bytes"])
            elif message.get("text") is not None:
                await self.kubelet.send_str(message["text"])

    async def _outward(self, send: Send) -> None:
        async for message in self.kubelet:
            if message.type is aiohttp.WSMsgType.BINARY:
                await send({"type": "websocket.send", "bytes": message.data})
            elif message.type is aiohttp.WSMsgType.TEXT:
                await send({"type": "websocket.send", "text": message.data})
            else:
                return
