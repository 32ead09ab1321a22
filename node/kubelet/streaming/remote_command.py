"""/exec and /attach: one process in a container, its streams over WebSocket or SPDY/3.1.

The caller is the API server, which passes a client's connection on as it is. Each direction is
pumped by one task and waits for the other side to take what it sends: nothing is queued here. When
the client goes away the process's streams are closed; when the process ends its exit code is sent
last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from aiohttp import web

from control_plane.streams.spdy.session import Session
from node.kubelet.pod_spec import find_container
from node.kubelet.runtimes.base import STDERR, ExecRequest, ProcessStream, RuntimeFailure
from node.kubelet.streaming import channels
from node.kubelet.streaming.channels import PROTOCOLS, choose_protocol
from node.kubelet.streaming.command_client import (
    CommandClient,
    SocketClient,
    SpdyClient,
    accept_streams,
    expected_streams,
)
from node.kubelet.streaming.context import KUBELET, RUNTIME, running_container_id, text_error
from node.kubelet.streaming.spdy_upgrade import negotiate, take_over, wants_spdy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.api.objects import Object

log = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_TRUE = ("1", "true", "True")
_SPDY_PROTOCOLS = {
    protocol.name: protocol
    for protocol in PROTOCOLS
    if not protocol.base64 and protocol.version <= 4
}
# Starts the process that a request is about.
Start = Callable[[], Awaitable[ProcessStream]]


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
    asked = _asked(request)
    wanted = _attachable(asked, container) if attach else asked
    if not (asked.stdin or asked.stdout or asked.stderr):
        return text_error(400, "you must specify at least 1 of stdin, stdout, stderr")
    runtime = request.app[RUNTIME]

    async def start() -> ProcessStream:
        return await (runtime.attach if attach else runtime.exec)(container_id, wanted)

    if "websocket" in request.headers.get("Upgrade", "").lower():
        return await _serve_socket(request, wanted, start)
    if wants_spdy(request):
        return await _serve_spdy(request, asked, wanted, start)
    return text_error(400, "Upgrade request required")


async def _serve_socket(
    request: web.Request, wanted: ExecRequest, start: Start
) -> web.StreamResponse:
    offered = _offered(request)
    protocol = choose_protocol(offered)
    if protocol is None:
        known = " ".join(p.name for p in PROTOCOLS)
        text = f"requested protocol(s) are not supported: [{' '.join(offered)}]; supports [{known}]"
        return text_error(403, text)
    socket = web.WebSocketResponse(
        protocols=(protocol.name,), max_msg_size=MAX_MESSAGE_BYTES, compress=False
    )
    await socket.prepare(request)
    await _run(SocketClient(socket, protocol, wanted), wanted, start)
    return socket


async def _serve_spdy(
    request: web.Request, asked: ExecRequest, wanted: ExecRequest, start: Start
) -> web.Response:
    negotiation = negotiate(request, list(_SPDY_PROTOCOLS))
    if negotiation.refusal is not None:
        return negotiation.refusal
    protocol = _SPDY_PROTOCOLS[negotiation.protocol]
    async with Session(await take_over(request, protocol.name)) as session:
        streams = await accept_streams(session, expected_streams(asked, protocol.version))
        if streams is not None:
            await _run(SpdyClient(session, protocol, streams, wanted), wanted, start)
    return web.Response()  # nobody sees it: the connection is closed


async def _run(client: CommandClient, wanted: ExecRequest, start: Start) -> None:
    """Start the process and connect the client with it."""
    try:
        process = await start()
    except RuntimeFailure as error:
        await client.finish(channels.error_status(str(error)))
        return
    has_ended = False
    try:
        await client.send(channels.STDOUT if wanted.stdout else channels.STDERR, b"")
        has_ended = await _bridge(client, process)
    finally:
        if not has_ended:
            await process.hang_up()
        await process.close()


def _asked(request: web.Request) -> ExecRequest:
    """What the client asks for, and opens streams for."""

    def flag(name: str) -> bool:
        return request.query.get(name, "") in _TRUE

    return ExecRequest(
        command=request.query.getall("command", []),
        stdin=flag("input"),
        stdout=flag("output"),
        stderr=flag("error") and not flag("tty"),
        tty=flag("tty"),
    )


def _attachable(asked: ExecRequest, container: Object) -> ExecRequest:
    """What of it the container's main process has."""
    tty = bool(container.get("tty"))
    return replace(
        asked,
        stdin=asked.stdin and bool(container.get("stdin")),
        stderr=asked.stderr and not tty,
        tty=tty,
    )


def _offered(request: web.Request) -> Sequence[str]:
    text = ",".join(request.headers.getall("Sec-WebSocket-Protocol", []))
    return [name.strip() for name in text.split(",") if name.strip()]


async def _bridge(client: CommandClient, process: ProcessStream) -> bool:
    """Pump both ways until the process ends (True) or the client leaves."""
    outward = asyncio.create_task(_pump_out(client, process))
    inward = asyncio.create_task(client.pump_in(process))
    try:
        await asyncio.wait((outward, inward), return_when=asyncio.FIRST_COMPLETED)
        if not outward.done():
            return False
        outward.result()
        inward.cancel()
        status = await _status(process)
        await client.finish(status)
        return True
    finally:
        for task in (outward, inward):
            task.cancel()
        await asyncio.gather(outward, inward, return_exceptions=True)


async def _pump_out(client: CommandClient, process: ProcessStream) -> None:
    while (message := await process.read()) is not None:
        stream, data = message
        await client.send(channels.STDERR if stream == STDERR else channels.STDOUT, data)


async def _status(process: ProcessStream) -> Object:
    try:
        return channels.exit_status(await process.exit_code() or 0)
    except RuntimeFailure as error:
        return channels.error_status(str(error))
