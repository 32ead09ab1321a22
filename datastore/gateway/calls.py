"""Calls by JSON: the tables of methods that the gRPC fronts serve, called in this process.

A call checks, counts and sees what a call over gRPC does; only bytes on a wire are left out. A
caller's certificate is never shown to a method: etcd does not take a gateway's client by it.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from datastore.errors import DatastoreError, MessageTooLarge, Unsupported
from datastore.gateway.conversion import Conversion
from datastore.gateway.json_text import BadJson
from datastore.gateway.statuses import BadBody
from datastore.rpc.answering import Direct, Edge, Method, Stream, Unary, respond, unknown_call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from datastore.gateway.metadata import Metadata
    from datastore.gateway.routes import Route
    from datastore.rpc.counting import MethodCounts


class Calls:
    """Calls methods of `services` with JSON; DatastoreError when a call fails."""

    def __init__(self, edge: Edge, services: Mapping[str, Mapping[str, Method]]) -> None:
        self.edge = edge
        self._services = services
        self._conversion = Conversion()

    def close(self) -> None:
        """Convert no more."""
        self._conversion.close()

    def method_of(self, route: Route) -> Method:
        """Return the method of a route; Unsupported if this server has none."""
        method = self._services.get(route.service, {}).get(route.method)
        if method is None:
            raise Unsupported(unknown_call(f"{route.service}/{route.method}", self._services))
        return method

    async def unary(self, route: Route, method: Direct | Unary, body: bytes, of: Metadata) -> bytes:
        """Return the answer's JSON; a body that holds no request is no call, and is not counted."""
        request = await self.request(route, method, body)
        counts, begun, code = self._begun(route), perf_counter(), "CANCELLED"
        answer = b""
        try:
            answer = await respond(self._seen_by(of), method, request)
            code = "OK"
        except DatastoreError as error:
            code = error.code
            raise
        finally:
            counts.send(len(answer))
            counts.end(code, begun)
        return await self._conversion.text(route.answer, answer)

    async def stream(
        self, route: Route, method: Stream, requests: Any, of: Metadata
    ) -> AsyncIterator[bytes]:
        """Yield the answers' JSON; `requests` are messages, or the one message of the call."""
        counts, begun, code = self._begun(route), perf_counter(), "CANCELLED"
        try:
            asked = _alone(requests) if method.groups else requests
            async for found in method.call(self._seen_by(of), asked):
                for answer in found if method.groups else [found]:
                    counts.send(len(answer))
                    yield await self._conversion.text(route.answer, answer)
            code = "OK"
        except DatastoreError as error:
            code = error.code
            raise
        finally:
            counts.end(code, begun)

    async def request(self, route: Route, method: Method, body: bytes) -> Any:
        """Return the message that a JSON text holds."""
        try:
            message = await self._conversion.message(method.request, body)
        except BadJson as error:
            raise BadBody(str(error)) from None
        size, most = message.ByteSize(), self.edge.max_message_bytes
        if size > most:
            raise MessageTooLarge(f"{MessageTooLarge.__doc__} ({size} vs. {most})")
        self.edge.counts.of(route.service, route.method).receive(size)
        return message

    def _begun(self, route: Route) -> MethodCounts:
        counts = self.edge.counts.of(route.service, route.method)
        counts.started += 1
        return counts

    def _seen_by(self, metadata: Metadata) -> Edge:
        if not self.edge.wants_callers:
            return self.edge
        return self.edge.of_call(metadata, None)


async def _alone(requests: AsyncIterator[Any]) -> AsyncIterator[list[Any]]:
    async for request in requests:
        yield [request]
