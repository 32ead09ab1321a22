"""Port forwarding over SPDY streams: each connection is an error stream and a data stream.

The two carry the same `requestID`; a client that sends none has made the data stream right after
the error stream. A pair that does not become complete in time is reset. Called by port_forward.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from control_plane.streams.spdy.errors import StreamClosedError
from node.kubelet.runtimes.base import RuntimeFailure

if TYPE_CHECKING:
    from control_plane.streams.spdy.session import Session, SpdyStream
    from control_plane.streams.wire import SocketWire
    from node.kubelet.runtimes.base import Runtime

PAIR_SECONDS = 30.0
MAX_CONNECTIONS = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PodPorts:
    """The ports of one pod."""

    runtime: Runtime
    sandbox_id: str
    uid: str

    async def connect(self, port: int) -> SocketWire:
        """Connect to a port; RuntimeFailure says why not, in the words of upstream."""
        try:
            return await self.runtime.connect(self.sandbox_id, port)
        except RuntimeFailure as error:
            raise RuntimeFailure(
                f"error forwarding port {port} to pod {self.sandbox_id}, uid {self.uid}: {error}"
            ) from error


@dataclass(slots=True)
class _Pair:
    port: int
    streams: dict[str, SpdyStream] = field(default_factory=dict)
    complete: asyncio.Event = field(default_factory=asyncio.Event)


class PortStreams:
    """Serves the connections of one session."""

    def __init__(self, session: Session, ports: PodPorts) -> None:
        """`ports` are the pod's."""
        self._session, self._ports = session, ports
        self._pairs: dict[str, _Pair] = {}
        self._connections: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until the client has gone."""
        try:
            async for stream in self._session.incoming():
                with contextlib.suppress(StreamClosedError):
                    await self._take(stream)
        finally:
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _take(self, stream: SpdyStream) -> None:
        kind, port = stream.headers.get("streamtype", ""), port_of(stream.headers.get("port", ""))
        ident = stream.headers.get("requestid") or _derived_id(stream, kind)
        pair = self._pairs.get(ident)
        is_wrong = kind not in ("error", "data") or port is None
        if is_wrong or (pair is None and len(self._pairs) >= MAX_CONNECTIONS):
            log.info("refused a stream type=%r port=%r", kind, stream.headers.get("port"))
            await stream.reset()
            return
        if pair is None:
            pair = self._pairs[ident] = _Pair(port or 0)
            task = asyncio.create_task(self._serve(ident, pair))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        if kind in pair.streams:
            await stream.reset()
            return
        await stream.reply()
        pair.streams[kind] = stream
        if len(pair.streams) == 2:
            pair.complete.set()

    async def _serve(self, ident: str, pair: _Pair) -> None:
        try:
            async with asyncio.timeout(PAIR_SECONDS):
                await pair.complete.wait()
            await self._forward(pair)
        except (TimeoutError, StreamClosedError):
            for stream in pair.streams.values():
                with contextlib.suppress(StreamClosedError):
                    await stream.reset()
        finally:
            del self._pairs[ident]

    async def _forward(self, pair: _Pair) -> None:
        data, error = pair.streams["data"], pair.streams["error"]
        error.discard()
        try:
            wire = await self._ports.connect(pair.port)
        except RuntimeFailure as failure:
            data.discard()
            await error.write(str(failure).encode("utf-8"))
        else:
            try:
                await _join(data, wire)
            finally:
                await wire.close()
        await data.end()
        await error.end()


async def _join(stream: SpdyStream, wire: SocketWire) -> None:
    """Pass bytes on both ways until both sides have ended, or the client gives the stream up."""
    both = asyncio.gather(_inward(stream, wire), _outward(stream, wire))
    lost = asyncio.create_task(stream.lost.wait())
    try:
        await asyncio.wait((both, lost), return_when=asyncio.FIRST_COMPLETED)
    finally:
        both.cancel()
        lost.cancel()
        await asyncio.gather(both, lost, return_exceptions=True)


async def _inward(stream: SpdyStream, wire: SocketWire) -> None:
    """Client to pod. A pod that reads no more makes the rest worthless, not an error."""
    try:
        while data := await stream.read():
            await wire.write(data)
    except OSError:
        stream.discard()
        return
    wire.end()


async def _outward(stream: SpdyStream, wire: SocketWire) -> None:
    """Pod to client."""
    with contextlib.suppress(StreamClosedError):
        while data := await wire.read():
            await stream.write(data)
        await stream.end()


def port_of(text: str) -> int | None:
    """A port's number, None for what is none."""
    if not (text.isascii() and text.isdigit()) or len(text) > 5:
        return None
    return int(text) if 0 < int(text) < 65_536 else None


def _derived_id(stream: SpdyStream, kind: str) -> str:
    return str(stream.number if kind == "error" else stream.number - 2)
