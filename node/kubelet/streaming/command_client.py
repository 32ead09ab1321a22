"""The other end of an executing or attached process, over WebSocket channels or SPDY streams.

A `CommandClient` sends output and the closing status, and passes input on to the process. Each
direction waits for the side that takes what it sends: nothing is queued here.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Protocol

from aiohttp import WSMsgType, web

from control_plane.streams.spdy.errors import StreamClosedError
from node.kubelet.streaming import channels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.objects import Object
    from control_plane.streams.spdy.session import Session, SpdyStream
    from node.kubelet.runtimes.base import ExecRequest, ProcessStream
    from node.kubelet.streaming.channels import ChannelProtocol

STREAMS_SECONDS = 30.0
LEAVE_SECONDS = 10.0
_CHANNELS = {"stdout": channels.STDOUT, "stderr": channels.STDERR}


class CommandClient(Protocol):
    """What remote_command.py needs of a client."""

    async def send(self, channel: int, data: bytes) -> None:
        """Send output; that a client has left is noticed by `pump_in`."""

    async def pump_in(self, process: ProcessStream) -> None:
        """Pass on standard input and terminal sizes; returns when the client has left."""

    async def finish(self, status: Object) -> None:
        """Send the closing status and end."""


class SocketClient:
    """A client that speaks WebSocket: one message is a channel and a piece of its data."""

    def __init__(
        self, socket: web.WebSocketResponse, protocol: ChannelProtocol, wanted: ExecRequest
    ) -> None:
        """`socket` is prepared already."""
        self._socket, self._protocol, self._wanted = socket, protocol, wanted

    async def send(self, channel: int, data: bytes) -> None:
        """Send one message."""
        frame = self._protocol.encode(channel, data)
        with contextlib.suppress(ConnectionError):
            if isinstance(frame, str):
                await self._socket.send_str(frame)
            else:
                await self._socket.send_bytes(frame)

    async def pump_in(self, process: ProcessStream) -> None:
        """Read messages until the client closes."""
        async for message in self._socket:
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                return
            frame = self._protocol.decode(message.data)
            if frame is not None:
                await self._take(process, *frame)

    async def finish(self, status: Object) -> None:
        """Send the status as the protocol's version has it, and close."""
        if final := self._protocol.final(status):
            await self.send(channels.ERROR, final)
        await self._socket.close(code=1000)

    async def _take(self, process: ProcessStream, channel: int, payload: bytes) -> None:
        if channel == channels.STDIN and self._wanted.stdin and payload:
            await process.write(payload)
        elif channel == channels.CLOSE and payload[:1] == bytes((channels.STDIN,)):
            await process.close_stdin()
        elif channel == channels.RESIZE:
            await _resize(process, payload)


class SpdyClient:
    """A client that speaks SPDY: a stream for each of error, stdin, stdout, stderr and resize."""

    def __init__(
        self,
        session: Session,
        protocol: ChannelProtocol,
        streams: Mapping[str, SpdyStream],
        wanted: ExecRequest,
    ) -> None:
        """`streams` by type are those the client has opened; the process may read no input."""
        self._session, self._protocol, self._streams = session, protocol, streams
        if not wanted.stdin and "stdin" in streams:
            streams["stdin"].discard()
        self._output = {
            channel: streams[name] for name, channel in _CHANNELS.items() if name in streams
        }

    async def send(self, channel: int, data: bytes) -> None:
        """Send on the channel's stream; a client without it does not want it."""
        stream = self._output.get(channel)
        if stream is not None and data:
            with contextlib.suppress(StreamClosedError):
                await stream.write(data)

    async def pump_in(self, process: ProcessStream) -> None:
        """Read both input streams until the client has gone."""
        tasks = [
            asyncio.create_task(pump(process, self._streams[name]))
            for name, pump in (("stdin", _pump_stdin), ("resize", _pump_sizes))
            if name in self._streams
        ]
        try:
            await self._session.gone.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def finish(self, status: Object) -> None:
        """End the output, send the status, and let the client close the connection.

        Closing it ourselves while input is on its way could cost the client what it has not read.
        """
        for name in ("stdin", "resize"):
            if name in self._streams:
                self._streams[name].discard()
        with contextlib.suppress(StreamClosedError):
            for stream in self._output.values():
                await stream.end()
            if final := self._protocol.final(status):
                await self._streams["error"].write(final)
            await self._streams["error"].end()
        await self._session.left(LEAVE_SECONDS)


def expected_streams(wanted: ExecRequest, version: int) -> set[str]:
    """The types of the streams that a client opens for what it asked for."""
    streams = {"error"}
    for name, is_wanted in (
        ("stdin", wanted.stdin),
        ("stdout", wanted.stdout),
        ("stderr", wanted.stderr),
        ("resize", wanted.tty and version >= 3),
    ):
        if is_wanted:
            streams.add(name)
    return streams


async def accept_streams(session: Session, expected: set[str]) -> dict[str, SpdyStream] | None:
    """Accept the expected streams; None when the client does not open them all in time."""
    streams: dict[str, SpdyStream] = {}
    with contextlib.suppress(TimeoutError, StreamClosedError):
        async with asyncio.timeout(STREAMS_SECONDS):
            async for stream in session.incoming():
                kind = stream.headers.get("streamtype", "")
                if kind not in expected or kind in streams:
                    await stream.reset()
                    continue
                await stream.reply()
                streams[kind] = stream
                if len(streams) == len(expected):
                    return streams
    return None


async def _pump_stdin(process: ProcessStream, stream: SpdyStream) -> None:
    while data := await stream.read():
        await process.write(data)
    await process.close_stdin()


async def _pump_sizes(process: ProcessStream, stream: SpdyStream) -> None:
    """A client writes one JSON document after the other; each fits in a frame."""
    while data := await stream.read():
        await _resize(process, data.strip().rpartition(b"\n")[2])


async def _resize(process: ProcessStream, payload: bytes) -> None:
    if size := channels.parse_resize(payload):
        await process.resize(*size)
