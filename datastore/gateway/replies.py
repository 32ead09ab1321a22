"""An answer in the making: one body, or a line for each message of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datastore.gateway.statuses import failure_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from datastore.errors import DatastoreError

    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = {"content-type": "application/json"}
OF_GRPC = {"grpc-metadata-content-type": "application/grpc"}


class Reply:
    """Answers one request. Every write waits while the client does not read."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._has_begun = False

    async def answer(self, body: bytes) -> None:
        """Send the answer of a call."""
        await self.whole(200, body, JSON | OF_GRPC)

    async def refuse(self, error: DatastoreError) -> None:
        """Send the error of a call."""
        failure = failure_of(error)
        await self.whole(failure.status, failure.text, JSON | failure.headers)

    async def whole(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send an answer of known length."""
        await self._begin(status, {**headers, "content-length": str(len(body))})
        await self._body(body, more=False)

    async def line(self, message: bytes) -> None:
        """Send one message of a stream."""
        if not self._has_begun:
            await self._begin(200, JSON | OF_GRPC)
        await self._body(b'{"result":%b}\n' % message, more=True)

    async def end(self, error: DatastoreError | None = None) -> None:
        """End a stream, with an error if it failed; if that comes first the status says so."""
        last = b""
        if error is not None:
            failure = failure_of(error)
            last = b'{"error":%b}\n' % failure.text
            if not self._has_begun:
                await self._begin(failure.status, JSON | failure.headers)
        if not self._has_begun:
            await self._begin(200, {})
        await self._body(last, more=False)

    async def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self._has_begun = True
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})

    async def _body(self, body: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})
