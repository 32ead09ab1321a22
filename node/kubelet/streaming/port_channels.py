"""Port forwarding over WebSocket channels: for the i-th port, 2i is data and 2i + 1 is errors.

The server sends the port's number on both channels first, in two bytes, little-endian. There is one
connection for each port, and no way to end one direction alone. Called by port_forward.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from node.kubelet.runtimes.base import RuntimeFailure
from node.kubelet.streaming.channels import ChannelProtocol
from node.kubelet.streaming.port_streams import port_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.streams.wire import SocketWire
    from node.kubelet.streaming.port_streams import PodPorts

PortProtocol = ChannelProtocol
MAX_PORTS = 100
_PROTOCOLS = {
    "": ChannelProtocol("", 4),
    "v4.channel.k8s.io": ChannelProtocol("v4.channel.k8s.io", 4),
    "v4.base64.channel.k8s.io": ChannelProtocol("v4.base64.channel.k8s.io", 4, base64=True),
}


def choose_port_protocol(offered: Sequence[str]) -> PortProtocol | None:
    """The first offered protocol that is known; without an offer binary channels."""
    return next((_PROTOCOLS[name] for name in offered or [""] if name in _PROTOCOLS), None)


def ports_of(texts: Sequence[str]) -> list[int]:
    """The ports of a query, repeated or with commas; raises ValueError with the client's text."""
    words = [word for text in texts for word in text.split(",") if word]
    if not words:
        raise ValueError('query parameter "port" is required')
    if len(words) > MAX_PORTS:
        raise ValueError(f"more than {MAX_PORTS} ports")
    ports = [(word, port_of(word)) for word in words]
    for word, port in ports:
        if port is None:
            raise ValueError(f'unable to parse "{word}" as a port')
    return [port for _, port in ports if port is not None]


class PortChannels:
    """Serves one WebSocket."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        protocol: PortProtocol,
        ports: PodPorts,
        numbers: Sequence[int],
    ) -> None:
        """`numbers` are the ports asked for, in order."""
        self._socket, self._protocol = socket, protocol
        self._ports, self._numbers = ports, numbers
        self._wires: dict[int, SocketWire] = {}

    async def run(self) -> None:
        """Serve until every connection has ended or the client has gone."""
        for index, number in enumerate(self._numbers):
            for channel in (2 * index, 2 * index + 1):
                await self._send(channel, number.to_bytes(2, "little"))
        await self._connect()
        tasks = [
            asyncio.create_task(self._outward()),
            asyncio.create_task(self._inward()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for wire in self._wires.values():
                await wire.close()
        await self._socket.close(code=1000)

    async def _connect(self) -> None:
        for index, number in enumerate(self._numbers):
            try:
                self._wires[index] = await self._ports.connect(number)
            except RuntimeFailure as error:
                await self._send(2 * index + 1, str(error).encode())

    async def _outward(self) -> None:
        async def pump(index: int, wire: SocketWire) -> None:
            while data := await wire.read():
                await self._send(2 * index, data)

        await asyncio.gather(*(pump(index, wire) for index, wire in self._wires.items()))

    async def _inward(self) -> None:
        async for message in self._socket:
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                return
            frame = self._protocol.decode(message.data)
            if frame is None or frame[0] % 2:
                continue
            wire = self._wires.get(frame[0] // 2)
            if wire is not None and frame[1]:
                with contextlib.suppress(OSError):
                    await wire.write(frame[1])

    async def _send(self, channel: int, data: bytes) -> None:
        frame = self._protocol.encode(channel, data)
        with contextlib.suppress(ConnectionError):
            if isinstance(frame, str):
                await self._socket.send_str(frame)
            else:
                await self._socket.send_bytes(frame)
