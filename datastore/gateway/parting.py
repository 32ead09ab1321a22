"""The end of a connection whose client still sends: it is let read the answer first.

A socket that is closed with input unread is reset, and a reset takes from the client what it has
not read yet: it would see a broken connection where it was told 431. So the last words are followed
by the end of our half (over TLS, which has no halves in asyncio, by nothing), and what still comes
is thrown away until the client has closed too, or says nothing for LINGER_SILENCE_SECONDS, or has
had LINGER_SECONDS or LINGER_BYTES; then the connection is closed whatever there is. Until then it
counts among the connections of its listener.
"""

from __future__ import annotations

import asyncio
from typing import Any

LINGER_SECONDS = 30.0
LINGER_SILENCE_SECONDS = 2.0
LINGER_BYTES = 64 << 20


class Door:
    """A transport as uvicorn's protocols use one; `close` parts if the client is `sending`."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._parting: Parting | None = None
        self.sending = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Say whether nothing more will be sent."""
        return self._parting is not None or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send, unless the last words were said."""
        if self._parting is None:
            self._transport.write(data)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let a protocol go on, or only know of the end."""
        if self._parting is None:
            self._transport.set_protocol(protocol)
        else:
            self._parting.protocol = protocol

    def close(self) -> None:
        """Close when all is sent; with a client that is still sending not before it has listened.

        Safe to call again.
        """
        if self.sending and not self.is_closing():
            self.part()
        elif self._parting is None:
            self._transport.close()

    def part(self) -> None:
        """Send what was written, and close when the client has, or will not."""
        if self.is_closing():
            return
        self._parting = Parting(self._transport, self._transport.get_protocol())
        self._transport.set_protocol(self._parting)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()


class Parting(asyncio.Protocol):
    """Throws away what a client still sends, within bounds; `protocol` is told of the end."""

    def __init__(self, transport: Any, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol
        self._transport = transport
        self._left = LINGER_BYTES
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.call_later(LINGER_SECONDS, transport.close)
        self._silence = self._loop.call_later(LINGER_SILENCE_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        """Throw it away."""
        self._left -= len(data)
        self._silence.cancel()
        if self._left < 0:
            self._transport.close()
        else:
            self._silence = self._loop.call_later(LINGER_SILENCE_SECONDS, self._transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._end.cancel()
        self._silence.cancel()
        self.protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Let the protocol wait: it may hold more of the answer."""
        self.protocol.pause_writing()

    def resume_writing(self) -> None:
        """Let the protocol go on."""
        self.protocol.resume_writing()
