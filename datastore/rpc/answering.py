"""How an RPC method becomes a gRPC handler, and an error its status: written once for all services.

A service is a table from method name to `Unary` or `Stream`; a method that is in no table is
UNIMPLEMENTED with etcd's words. `Context` is what every method gets beside its request.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
from google.protobuf.message import DecodeError

from datastore.errors import (
    DatastoreError,
    InvalidClientVersion,
    MalformedMessage,
    MalformedRequest,
    RequestTooLarge,
    ServerStopped,
)
from proto.etcd import rpc_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from datastore.mvcc.store import Store

log = logging.getLogger(__name__)
RAFT_TERM = 2
ENVELOPE_BYTES = 18  # what etcd's internal request adds to a client's


class Edge:
    """What the services share: the store, the identity in every header, the limits."""

    def __init__(self, store: Store, *, max_request_bytes: int) -> None:
        self.store = store
        self.max_request_bytes = max_request_bytes
        self.cluster_id = store.backend.cluster_id
        self.member_id = store.backend.member_id
        self.stopping = asyncio.Event()

    def header(self, revision: int = 0) -> rpc_pb2.ResponseHeader:
        """Return a response header."""
        return rpc_pb2.ResponseHeader(
            cluster_id=self.cluster_id,
            member_id=self.member_id,
            revision=revision,
            raft_term=RAFT_TERM,
        )

    def size_of(self, request: Any) -> int:
        """Return the size of a write request; RequestTooLarge as etcd measures it."""
        size = int(request.ByteSize())
        if size + ENVELOPE_BYTES > self.max_request_bytes:
            raise RequestTooLarge
        return size


class Unary(NamedTuple):
    """A method with one answer."""

    request: Any
    call: Callable[[Edge, Any], Awaitable[Any]]


class Stream(NamedTuple):
    """A method whose answers, and perhaps requests, are a stream; it yields encoded answers."""

    request: Any
    call: Callable[[Edge, Any], AsyncIterator[bytes]]
    requests: bool = True


Method = Unary | Stream


def handlers(edge: Edge, service: str, methods: Mapping[str, Method]) -> grpc.GenericRpcHandler:
    """Return the gRPC handler of a service."""
    made = {name: _handler(edge, method) for name, method in methods.items()}
    return grpc.method_handlers_generic_handler(service, made)


def _handler(edge: Edge, method: Method) -> grpc.RpcMethodHandler[Any, Any]:
    """Return the handler of a method, which decodes requests itself: gRPC hides which are bad."""
    if isinstance(method, Unary):
        return grpc.unary_unary_rpc_method_handler(_unary(edge, method), None, _encode)
    make = grpc.stream_stream_rpc_method_handler
    if not method.requests:
        make = grpc.unary_stream_rpc_method_handler
    return make(_stream(edge, method), None, None)


def _encode(message: Any) -> bytes:
    return bytes(message.SerializeToString())


def _decoded(kind: Any, data: bytes, error: type[MalformedRequest]) -> Any:
    try:
        return kind.FromString(data)
    except DecodeError as trouble:
        raise error(f"{error.__doc__}: {trouble}") from None


async def _decoded_each(
    kind: Any, stream: AsyncIterator[bytes], trouble: asyncio.Future[DatastoreError]
) -> AsyncIterator[Any]:
    """Yield the requests of a stream; at a malformed one tell `trouble` too, and raise."""
    async for data in stream:
        try:
            request = _decoded(kind, data, MalformedMessage)
        except MalformedMessage as error:
            trouble.set_result(error)
            raise
        yield request


def _unary(edge: Edge, method: Unary) -> Any:
    async def answer(data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            check_client_version(context)
            return await method.call(edge, _decoded(method.request, data, MalformedRequest))
        except DatastoreError as error:
            return await _abort(context, error)

    return answer


def _stream(edge: Edge, method: Stream) -> Any:
    async def answer(data: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Send answers until the method ends, the client goes or sends no sense, or we stop."""
        trouble: asyncio.Future[DatastoreError] = asyncio.get_running_loop().create_future()
        sending = asyncio.ensure_future(_send(edge, method, data, trouble, context))
        stopping = asyncio.ensure_future(edge.stopping.wait())
        try:
            await asyncio.wait((sending, stopping, trouble), return_when=asyncio.FIRST_COMPLETED)
            if trouble.done():
                raise trouble.result()
            if not sending.done():
                raise ServerStopped
            sending.result()
        except DatastoreError as error:
            await _abort(context, error)
        finally:
            stopping.cancel()
            sending.cancel()
            await asyncio.gather(sending, stopping, return_exceptions=True)

    return answer


async def _send(
    edge: Edge,
    method: Stream,
    data: Any,
    trouble: asyncio.Future[DatastoreError],
    context: grpc.aio.ServicerContext[Any, Any],
) -> None:
    check_client_version(context)
    if method.requests:
        request = _decoded_each(method.request, data, trouble)
    else:
        request = _decoded(method.request, data, MalformedRequest)
    async for message in method.call(edge, request):
        await context.write(message)


def check_client_version(context: grpc.aio.ServicerContext[Any, Any]) -> None:
    """Refuse a client-api-version header that is not text."""
    for key, value in context.invocation_metadata() or ():
        if key == "client-api-version" and isinstance(value, bytes):
            try:
                value.decode()
            except UnicodeDecodeError:
                raise InvalidClientVersion from None


async def _abort(context: grpc.aio.ServicerContext[Any, Any], error: DatastoreError) -> Any:
    await context.abort(grpc.StatusCode[error.code], str(error))


class UnknownMethods(grpc.GenericRpcHandler):
    """Answers every call that no service takes, in etcd's words."""

    def __init__(self, services: frozenset[str]) -> None:
        self._services = services

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        """Return a handler that refuses the call by name."""
        service, _, method = details.method.lstrip("/").rpartition("/")
        text = f"unknown service {service}"
        if service in self._services:
            text = f"unknown method {method} for service {service}"

        async def refuse(_: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, text)

        return grpc.stream_stream_rpc_method_handler(refuse)
