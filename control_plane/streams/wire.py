"""A connection that carries bytes both ways: what SPDY and relays run over."""

import asyncio
import contextlib
from typing import Protocol

READ_BYTES = 65_536
CLOSE_SECONDS = 30.0


class Wire(Protocol):
    """Bytes both ways. Only one task reads; several may write."""

    async def read(self) -> bytes:
        """The next bytes, b"" at the end, however it came."""

    async def write(self, data: bytes) -> None:
        """Send all of `data`, in the order of the calls; ConnectionError when nobody reads."""

    async def close(self) -> None:
        """Send what has been written and close; returns when that is done or has failed."""


class SocketWire:
    """A wire over a pair of asyncio streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take both over."""
        self._reader, self._writer = reader, writer

    async def read(self) -> bytes:
        """The next bytes."""
        try:
            return await self._reader.read(READ_BYTES)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        """Send, and wait while the peer does not keep up."""
        self._writer.write(data)
        await self._writer.drain()

    def end(self) -> bool:
        """Close our half; False when the connection has no halves (TLS)."""
        if not self._writer.can_write_eof() or self._writer.is_closing():
            return False
        with contextlib.suppress(OSError):
            self._writer.write_eof()
        return True

    async def close(self) -> None:
        """Close; a peer that does not read what is left is given up after a while."""
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._writer.wait_closed()
        except TimeoutError:
            self._writer.transport.abort()
        except OSError as error:
            error.__traceback__ = None
        # An error that is kept keeps the frames it went through, and these keep us: TLS has buffers
        # of 256 KiB, which are not to wait for the garbage collector.
        if (kept := self._reader.exception()) is not None:
            kept.__traceback__ = None
