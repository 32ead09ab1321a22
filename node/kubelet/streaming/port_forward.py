"""/portForward: connections to a pod's ports, in three protocols.

    SPDY/3.1           two streams for each connection, as many connections as the client likes
    the same within WebSocket messages ("SPDY/3.1+portforward.k8s.io"), as kubectl does
    WebSocket channels two for each port in the query, one connection each

Source: kubelet's CRI streaming server, client-go portforward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from control_plane.streams.spdy.session import Session
from node.kubelet.pod_spec import identity_of
from node.kubelet.runtimes.base import RuntimeFailure
from node.kubelet.streaming.context import KUBELET, RUNTIME, text_error
from node.kubelet.streaming.port_channels import PortChannels, choose_port_protocol, ports_of
from node.kubelet.streaming.port_streams import PodPorts, PortStreams
from node.kubelet.streaming.spdy_upgrade import negotiate, take_over, wants_spdy

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from node.kubelet.streaming.port_channels import PortProtocol

PROTOCOL = "portforward.k8s.io"
TUNNEL = f"SPDY/3.1+{PROTOCOL}"
MAX_MESSAGE_BYTES = 4 * 1024 * 1024


async def port_forward(request: web.Request) -> web.StreamResponse:
    """Connect the client with ports of a pod."""
    namespace, name = request.match_info["namespace"], request.match_info["pod"]
    pod = request.app[KUBELET].find(namespace, name)
    if pod is None:
        return text_error(404, f'pod "{name}" does not exist\n')
    is_socket = "websocket" in request.headers.get("Upgrade", "").lower()
    if not is_socket and not wants_spdy(request):
        return text_error(400, "Upgrade request required")
    ports = await _ports(request, pod)
    if isinstance(ports, web.Response):
        return ports
    return await (_serve_socket if is_socket else _serve_spdy)(request, ports)


async def _ports(request: web.Request, pod: Object) -> PodPorts | web.Response:
    runtime = request.app[RUNTIME]
    try:
        sandbox = (await runtime.pod_record(identity_of(pod))).ready_sandbox()
    except RuntimeFailure as error:
        return text_error(500, f"{error}\n")
    if sandbox is None:
        name = pod["metadata"]["name"]
        return text_error(500, f'pod "{name}" is not running: it has no ports to connect to\n')
    return PodPorts(runtime, sandbox.id, pod["metadata"]["uid"])


async def _serve_spdy(request: web.Request, ports: PodPorts) -> web.StreamResponse:
    negotiation = negotiate(request, [PROTOCOL])
    if negotiation.refusal is not None:
        return negotiation.refusal
    async with Session(await take_over(request, PROTOCOL)) as session:
        await PortStreams(session, ports).run()
    return web.Response()  # nobody sees it: the connection is closed


async def _serve_socket(request: web.Request, ports: PodPorts) -> web.StreamResponse:
    lines = ",".join(request.headers.getall("Sec-WebSocket-Protocol", []))
    offered = [name.strip() for name in lines.split(",") if name.strip()]
    if TUNNEL in offered:
        return await _serve_tunnel(request, ports)
    protocol = choose_port_protocol(offered)
    if protocol is None:
        return text_error(403, f"requested protocol(s) are not supported: {offered}\n")
    return await _serve_channels(request, ports, protocol)


async def _serve_tunnel(request: web.Request, ports: PodPorts) -> web.StreamResponse:
    socket = web.WebSocketResponse(
        protocols=(TUNNEL,), max_msg_size=MAX_MESSAGE_BYTES, compress=False
    )
    await socket.prepare(request)
    async with Session(MessageWire(socket)) as session:
        await PortStreams(session, ports).run()
    return socket


async def _serve_channels(
    request: web.Request, ports: PodPorts, protocol: PortProtocol
) -> web.StreamResponse:
    try:
        numbers = ports_of(request.query.getall("port", []))
    except ValueError as error:
        return text_error(400, f"{error}\n")
    socket = web.WebSocketResponse(
        protocols=(protocol.name,) if protocol.name else (),
        max_msg_size=MAX_MESSAGE_BYTES,
        compress=False,
    )
    await socket.prepare(request)
    await PortChannels(socket, protocol, ports, numbers).run()
    return socket


class MessageWire:
    """Bytes within WebSocket messages, whose borders mean nothing."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        """`socket` is prepared already."""
        self._socket = socket

    async def read(self) -> bytes:
        """The next message that is not empty; b"" when the client has closed."""
        while True:
            message = await self._socket.receive()
            if message.type is not WSMsgType.BINARY:
                return b""
            if message.data:
                return bytes(message.data)

    async def write(self, data: bytes) -> None:
        """Send one message."""
        await self._socket.send_bytes(data)

    async def close(self) -> None:
        """Close the WebSocket."""
        await self._socket.close(code=1000)
