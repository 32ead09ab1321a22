"""The grpcio front: the tables of methods as handlers of a `grpc.aio` server.

It serves whatever the native front does not: streams, unix sockets, TLS, and everything where the
native front is not installed. Requests are decoded by ourselves, because gRPC hides which are bad.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import grpc

from datastore.errors import DatastoreError, Unsupported
from datastore.rpc.answering import (
    Direct,
    Edge,
    Method,
    Stream,
    Unary,
    check_client_version,
    decoded,
    unknown_call,
)
from datastore.rpc.counting import CODES, MethodCounts
from datastore.rpc.streaming import Conversation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    Context = grpc.aio.ServicerContext[Any, Any]


class Services(grpc.GenericRpcHandler):
    """Every method of every service, found by one look; other calls are refused in etcd's words."""

    def __init__(self, edge: Edge, services: Mapping[str, Mapping[str, Method]]) -> None:
        self._services = frozenset(services)
        self._handlers = {
            f"/{service}/{name}": _handler(edge, method, edge.counts.of(service, name))
            for service, methods in services.items()
            for name, method in methods.items()
        }

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the handler of a call, having checked what every call is checked for.

        Here, because gRPC has made the metadata for this, and would make it anew for a handler.
        """
        found = self._handlers.get(details.method)
        if found is None:
            return _refusing(Unsupported(unknown_call(details.method, self._services)))
        try:
            check_client_version(details.invocation_metadata or ())
        except DatastoreError as error:
            return _refusing(error)
        return found


def _refusing(error: DatastoreError) -> grpc.RpcMethodHandler[Any, Any]:
    async def refuse(_: Any, context: Context) -> None:
        await _abort(context, error)

    return grpc.stream_stream_rpc_method_handler(refuse)


def _handler(edge: Edge, method: Method, counts: MethodCounts) -> grpc.RpcMethodHandler[Any, Any]:
    if isinstance(method, Direct):
        return grpc.unary_unary_rpc_method_handler(_direct(edge, method, counts), None, None)
    if isinstance(method, Unary):
        answer = _counted_unary(_unary(edge, method), counts)
        return grpc.unary_unary_rpc_method_handler(answer, None, None)
    make = grpc.stream_stream_rpc_method_handler
    if not method.requests:
        make = grpc.unary_stream_rpc_method_handler
    return make(counted(_stream(edge, method, counts), counts), None, None)


def _counted_unary(answer: Any, counts: MethodCounts) -> Any:
    async def measured(data: bytes, context: Context) -> Any:
        counts.receive(len(data))
        encoded = b""
        try:
            encoded = await answer(data, context)
        finally:
            counts.send(len(encoded))
        return encoded

    return counted(measured, counts)


def counted(answer: Any, counts: MethodCounts) -> Any:
    """Return a handler that counts its calls, and how they end."""

    async def call(data: Any, context: Context) -> Any:
        counts.started += 1
        begun = perf_counter()
        code = "CANCELLED"
        try:
            answered = await answer(data, context)
            code = "OK"
        except grpc.aio.AbortError:
            code = _name_of(context.code())
            raise
        except Exception:
            code = "UNKNOWN"
            raise
        finally:
            counts.end(code, begun)
        return answered

    return call


def _name_of(code: Any) -> str:
    """Return the name of a code, which a context gives as a number or as what it is."""
    return code.name if isinstance(code, grpc.StatusCode) else CODES.get(code, "UNKNOWN")


def _edge_of(edge: Edge, context: Context) -> Edge:
    """Return the edge as this call sees it."""
    if not edge.wants_callers:
        return edge
    return edge.of_call(context.invocation_metadata() or (), context.auth_context())


def _direct(edge: Edge, method: Direct, counts: MethodCounts) -> Any:
    """Return a handler that is one coroutine, its counts included."""
    new_future = asyncio.get_running_loop().create_future
    kind, start, encode, at_once = method

    async def answer(data: bytes, context: Context) -> bytes:
        begun = perf_counter()
        counts.started += 1
        code, size = "CANCELLED", 0
        try:
            seen = _edge_of(edge, context)
            encoded = at_once(seen, data)
            if not isinstance(encoded, bytes):
                future = new_future()
                start(seen, encoded or decoded(edge, kind, data), future)
                encoded = encode(edge, await future)
            code = "OK"
            size = len(encoded)
            return encoded
        except DatastoreError as error:
            code = error.code
            return cast("bytes", await _abort(context, error))
        except Exception:
            code = "UNKNOWN"
            raise
        finally:
            counts.exchange(len(data), size, code, begun)

    return answer


def _unary(edge: Edge, method: Unary) -> Any:
    async def answer(data: bytes, context: Context) -> Any:
        try:
            seen = _edge_of(edge, context)
            message = await method.call(seen, decoded(edge, method.request, data))
            return message.SerializeToString()
        except DatastoreError as error:
            return await _abort(context, error)

    return answer


def _stream(edge: Edge, method: Stream, counts: MethodCounts) -> Any:
    async def answer(data: Any, context: Context) -> None:
        async def write(messages: list[bytes]) -> None:
            for message in messages:
                await context.write(message)

        try:
            seen = _edge_of(edge, context)
            incoming = _incoming(data) if method.requests else _only(data)
            await Conversation(seen, method, counts, incoming, write).hold()
        except DatastoreError as error:
            await _abort(context, error)

    return answer


async def _incoming(messages: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    async for message in messages:
        yield [message]


async def _only(message: bytes) -> AsyncIterator[list[bytes]]:
    yield [message]


async def _abort(context: Context, error: DatastoreError) -> Any:
    await context.abort(grpc.StatusCode[error.code], str(error))
