"""A raw, two-way connection to a process in the engine: exec and attach.

The engine answers `Upgrade: tcp` with 101 and from then on the socket carries the process's input
one way and its output the other: plain bytes with a terminal, else frames of an 8-byte header
(stream, 3 zero bytes, length big-endian). Closing only our sending half is how the process reads
end of file, which is why this is not an HTTP client's stream.

Called by runtimes/docker.py. Source: Docker Engine API 1.41, "Attach to a container", stream
format.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from node.kubelet.runtimes.base import STDERR, STDOUT, RuntimeFailure, RuntimeNotFound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_FRAME_HEADER = struct.Struct(">BxxxI")
_READ_BYTES = 32 * 1024
_HEAD_SECONDS = 30


class Hijacked:
    """Reader and writer of one upgraded connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, tty: bool
    ) -> None:
        self._reader, self._writer, self._tty = reader, writer, tty

    async def read(self) -> tuple[int, bytes] | None:
        """Return (stream, data); None at the end or when the engine hung up."""
        try:
            return await (self._read_plain() if self._tty else self._read_frame())
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def write(self, data: bytes) -> None:
        """Send data to the process; a process that went away is not an error."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            return

    async def close_stdin(self) -> None:
        """Half-close, so that the process reads end of file."""
        if self._writer.can_write_eof() and not self._writer.is_closing():
            self._writer.write_eof()

    async def close(self) -> None:
        """Close both directions."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return

    async def _read_plain(self) -> tuple[int, bytes] | None:
        data = await self._reader.read(_READ_BYTES)
        return (STDOUT, data) if data else None

    async def _read_frame(self) -> tuple[int, bytes] | None:
        stream, length = _FRAME_HEADER.unpack(await self._reader.readexactly(_FRAME_HEADER.size))
        return (STDERR if stream == 2 else STDOUT), await self._reader.readexactly(length)


async def hijack(endpoint: str, path: str, body: dict[str, Any], *, tty: bool) -> Hijacked:
    """POST `body` to `path` at the engine and take the connection over.

    Raises RuntimeFailure with the engine's text when it refuses.
    """
    reader, writer = await _connect(endpoint)
    try:
        async with asyncio.timeout(_HEAD_SECONDS):
            writer.write(_request(path, orjson.dumps(body)))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            await _check(head, reader)
    except asyncio.IncompleteReadError as error:
        writer.close()
        raise RuntimeFailure("the container engine hung up") from error
    except BaseException:
        writer.close()
        raise
    return Hijacked(reader, writer, tty=tty)


async def demultiplex(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Strip the frame headers of a log body, keeping the order of the frames."""
    buffer = bytearray()
    async for chunk in chunks:
        buffer += chunk
        while len(buffer) >= _FRAME_HEADER.size:
            _, length = _FRAME_HEADER.unpack_from(buffer)
            end = _FRAME_HEADER.size + length
            if len(buffer) < end:
                break
            yield bytes(buffer[_FRAME_HEADER.size : end])
            del buffer[:end]


async def _connect(endpoint: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if endpoint.startswith("unix://"):
        return await asyncio.open_unix_connection(endpoint.removeprefix("unix://"))
    url = urlsplit(endpoint)
    return await asyncio.open_connection(url.hostname, url.port or 2375)


def _request(path: str, body: bytes) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: docker",
        "Content-Type: application/json",
        "Connection: Upgrade",
        "Upgrade: tcp",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _check(head: bytes, reader: asyncio.StreamReader) -> None:
    status = int(head.split(b" ", 2)[1])
    if status in (101, 200):
        return
    message = _message(await reader.read(_READ_BYTES)) or f"the engine answered {status}"
    raise RuntimeNotFound(message) if status == 404 else RuntimeFailure(message)


def _message(body: bytes) -> str:
    start, end = body.find(b"{"), body.rfind(b"}")
    if start < 0 or end < start:
        return body.decode(errors="replace").strip()
    return str(orjson.loads(body[start : end + 1]).get("message", ""))
