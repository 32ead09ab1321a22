"""Taking a connection over from the HTTP server that has read an upgrade request from it.

Neither ASGI nor aiohttp has a word for it. The server's protocol gets nothing of the connection
any more; it is told of its end when the new owner closes it.
"""

import asyncio

from control_plane.streams.wire import READ_BYTES, SocketWire


class TakenWire(SocketWire):
    """A connection that an HTTP server accepted."""

    def __init__(self, transport: asyncio.Transport, previous: asyncio.BaseProtocol) -> None:
        """Take it over from the protocol `previous`; call it before anything is answered.

        ConnectionResetError when it is closed already.
        """
        if transport.is_closing():
            raise ConnectionResetError("the client has gone")
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(READ_BYTES, loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        transport.resume_reading()
        super().__init__(reader, asyncio.StreamWriter(transport, protocol, reader, loop))
        self._previous = previous

    async def close(self) -> None:
        """Close, and let the server forget the connection.

        To be called last: some servers cancel the task of a handler whose connection is gone.
        """
        try:
            await super().close()
        finally:
            self._previous.connection_lost(None)
