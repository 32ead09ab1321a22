"""/exec and /attach over WebSocket: one process in a container, its streams as channels.

The caller is the API server, which relays a client's WebSocket with the same sub-protocol. Each
direction is pumped by one task and waits for the other side to take what it sends: nothing is
queued here. When the client goes away the process's streams are closed; when the process ends its
exit code is sent on the error channel.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from node.kubelet.pod_spec import find_container
from node.kubelet.runtimes.base import STDERR, ExecRequest, ProcessStream, RuntimeFailure
from node.kubelet.streaming import channels
from node.kubelet.streaming.channels import PROTOCOLS, ChannelProtocol, choose_protocol
from node.kubelet.streaming.context import KUBELET, RUNTIME, running_container_id, text_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.api.objects import Object

log = logging.getLogger(__name__)

_TRUE = ("1", "true", "True")
_MESSAGE_BYTES = 32 * 1024 * 1024


async def exec_command(request: web.Request) -> web.StreamResponse:
    """Run a command in a running container."""
    if not request.query.getall("command", []):
        return text_error(400, "you must specify at least 1 command\n")
    return await _serve(request, attach=False)


async def attach(request: web.Request) -> web.StreamResponse:
    """Attach to a container's main process; whether there is a terminal is the container's spec."""
    return await _serve(request, attach=True)


async def _serve(request: web.Request, *, attach: bool) -> web.StreamResponse:
    namespace, pod_name = request.match_info["namespace"], request.match_info["pod"]
    name = request.match_info["container"]
    pod = request.app[KUBELET].find(namespace, pod_name)
    container = None if pod is None else find_container(pod, name)
    if pod is None or container is None:
        return text_error(404, f'pod or container not found ("{pod_name}", "{name}")\n')
    container_id = running_container_id(pod, name)
    if container_id is None:
        return text_error(500, f'container not found ("{name}")\n')
    wanted = _wanted(request, container if attach else None)
    if not (wanted.stdin or wanted.stdout or wanted.stderr):
        return text_error(400, "you must specify at least 1 of stdin, stdout, stderr")
    if "websocket" not in request.headers.get("Upgrade", "").lower():
        return text_error(400, "Upgrade request required")
    protocol = choose_protocol(_offered(request))
    if protocol is None:
        offered, known = " ".join(_offered(request)), " ".join(p.name for p in PROTOCOLS)
        text = f"requested protocol(s) are not supported: [{offered}]; supports [{known}]"
        return text_error(403, text)
    socket = web.WebSocketResponse(protocols=(protocol.name,), max_msg_size=_MESSAGE_BYTES)
    await socket.prepare(request)
    runtime = request.app[RUNTIME]
    start = runtime.attach if attach else runtime.exec
    try:
        process = await start(container_id, wanted)
    except RuntimeFailure as error:
        await _finish(socket, protocol, channels.error_status(str(error)))
        return socket
    try:
        await _send(socket, protocol, channels.STDOUT, b"")
        await _bridge(socket, protocol, process, wanted)
    finally:
        await process.close()
    return socket


def _wanted(request: web.Request, attached: Object | None) -> ExecRequest:
    def flag(name: str) -> bool:
        return request.query.get(name, "") in _TRUE

    tty = flag("tty") if attached is None else bool(attached.get("tty"))
    stdin = flag("input") and (attached is None or bool(attached.get("stdin")))
    return ExecRequest(
        command=request.query.getall("command", []),
        stdin=stdin,
        stdout=flag("output"),
        stderr=flag("error") and not tty,
        tty=tty,
    )


def _offered(request: web.Request) -> Sequence[str]:
    text = ",".join(request.headers.getall("Sec-WebSocket-Protocol", []))
    return [name.strip() for name in text.split(",") if name.strip()]


async def _bridge(
    socket: web.WebSocketResponse,
    protocol: ChannelProtocol,
    process: ProcessStream,
    wanted: ExecRequest,
) -> None:
    """Pump both ways until the process ends or the client leaves."""
    outward = asyncio.create_task(_pump_out(socket, protocol, process))
    inward = asyncio.create_task(_pump_in(socket, protocol, process, wanted))
    try:
        await asyncio.wait((outward, inward), return_when=asyncio.FIRST_COMPLETED)
        if not outward.done():
            return  # the client left
        outward.result()
        inward.cancel()
        await _finish(socket, protocol, await _status(process))
    finally:
        for task in (outward, inward):
            task.cancel()
        await asyncio.gather(outward, inward, return_exceptions=True)


async def _pump_out(
    socket: web.WebSocketResponse, protocol: ChannelProtocol, process: ProcessStream
) -> None:
    while (message := await process.read()) is not None:
        stream, data = message
        channel = channels.STDERR if stream == STDERR else channels.STDOUT
        await _send(socket, protocol, channel, data)


async def _pump_in(
    socket: web.WebSocketResponse,
    protocol: ChannelProtocol,
    process: ProcessStream,
    wanted: ExecRequest,
) -> None:
    """Pass on standard input and sizes; returns when the client closes."""
    async for message in socket:
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
            return
        frame = protocol.decode(message.data)
        if frame is None:
            continue
        channel, payload = frame
        if channel == channels.STDIN and wanted.stdin and payload:
            await process.write(payload)
        elif channel == channels.CLOSE and payload[:1] == bytes((channels.STDIN,)):
            await process.close_stdin()
        elif channel == channels.RESIZE and (size := channels.parse_resize(payload)):
            await process.resize(*size)


async def _status(process: ProcessStream) -> Object:
    try:
        return channels.exit_status(await process.exit_code() or 0)
    except RuntimeFailure as error:
        return channels.error_status(str(error))


async def _finish(socket: web.WebSocketResponse, protocol: ChannelProtocol, status: Object) -> None:
    if final := protocol.final(status):
        await _send(socket, protocol, channels.ERROR, final)
    await socket.close(code=1000)


async def _send(
    socket: web.WebSocketResponse, protocol: ChannelProtocol, channel: int, data: bytes
) -> None:
    """Send one frame; a client that left is noticed by the other pump."""
    frame = protocol.encode(channel, data)
    try:
        if isinstance(frame, str):
            await socket.send_str(frame)
        else:
            await socket.send_bytes(frame)
    except ConnectionError:
        return
