"""How RPC methods are written down: once for all services, and for both fronts.

A service is a table from method name to `Direct`, `Unary` or `Stream`; a front (`grpcio_front`,
`native_front`) turns the tables into calls. What every front must do alike is here: decoding,
limits, the check of the client's version. `Edge` is what a method gets beside its request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from google.protobuf.message import DecodeError

from datastore.errors import (
    InvalidClientVersion,
    MalformedRequest,
    MessageTooLarge,
    RequestTooLarge,
)
from datastore.mvcc.auth.keys import CallersKeys
from datastore.mvcc.auth.model import NOBODY
from datastore.mvcc.model import DeleteRange, Put, RangeQuery, Txn
from datastore.rpc.callers import credentials
from datastore.rpc.counting import RpcCounts
from datastore.rpc.wire import Headers
from proto.etcd import rpc_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from datastore.mvcc.answer import Answer
    from datastore.mvcc.store import Store

Metadata = Iterable[tuple[str, "str | bytes"]]
Asked = TypeVar("Asked", RangeQuery, Put, DeleteRange, Txn)
RAFT_TERM = 2
LARGEST_NAME = 2_048  # bytes that a user takes in etcd's internal request, at most
ENVELOPE_BYTES = 18  # what etcd's internal request adds to a client's
RECEIVE_EXTRA = 512 << 10  # a message may be larger than a write request by this much


class Edge:
    """What the services share: the store, the identity in every header, the limits.

    A method sees who calls it in `caller`, which is filled in only while `wants_callers` is true: a
    server on which nobody can have turned auth on spends nothing on it.
    """

    caller = NOBODY
    client_cert_auth = False  # the common name of a client's certificate is its user

    def __init__(self, store: Store, *, max_request_bytes: int) -> None:
        self.store = store
        self.max_request_bytes = max_request_bytes
        self.max_message_bytes = max_request_bytes + RECEIVE_EXTRA
        self.cluster_id = store.backend.cluster_id
        self.member_id = store.backend.member_id
        self.headers = Headers(self.cluster_id, self.member_id, RAFT_TERM)
        self.counts = RpcCounts()
        self.stopping = asyncio.Event()

    @property
    def wants_callers(self) -> bool:
        """Whether calls are to come with `of_call`."""
        return self.client_cert_auth or self.store.auth.may_be_on

    def of_call(
        self,
        metadata: Metadata,
        certificate: Mapping[str, Iterable[bytes]] | None,
    ) -> Edge:
        """Return the edge as one call sees it, by its metadata and what TLS knows of its client."""
        edge = object.__new__(Edge)
        trusted = certificate if self.client_cert_auth else None
        edge.__dict__ = {**self.__dict__, "caller": credentials(metadata, trusted)}
        return edge

    def asked(self, operation: Asked, size: int = 0) -> Asked:
        """Return an operation as asked for by the caller, in a request of that size."""
        caller = self.caller
        if caller is NOBODY:
            return operation
        room = self.max_request_bytes - size - ENVELOPE_BYTES
        if room < LARGEST_NAME:
            caller = caller._replace(room=room)
        return operation._replace(caller=caller)

    @property
    def keys(self) -> CallersKeys:
        """The keys as the caller may use them."""
        return CallersKeys(self.store, self.caller)

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


def _never(_: Edge, __: bytes) -> bytes | None:
    return None


class Direct(NamedTuple):
    """A method with one answer that costs no task.

    `start` validates the request and hands it on together with the answer that waits for its
    result; it never blocks, may run in any thread, and raises what refuses the request. `encode`
    makes bytes of the result. `at_once`, where there is one, is asked first about an encoded
    request: it answers that from memory, or has read it and returns what `start` takes as well as a
    request, or says None.
    """

    request: Any
    start: Callable[[Edge, Any, Answer], None]
    encode: Callable[[Edge, Any], bytes]
    at_once: Callable[[Edge, bytes], bytes | RangeQuery | None] = _never


class Unary(NamedTuple):
    """A method with one answer."""

    request: Any
    call: Callable[[Edge, Any], Awaitable[Any]]


class Stream(NamedTuple):
    """A method whose answers, and perhaps requests, are a stream; it yields encoded answers.

    With `groups` it gets the requests that have come together as a list, and yields lists.
    """

    request: Any
    call: Callable[[Edge, Any], AsyncIterator[Any]]
    requests: bool = True
    groups: bool = False


Method = Direct | Unary | Stream


def decoded(
    edge: Edge, kind: Any, data: bytes, error: type[MalformedRequest] = MalformedRequest
) -> Any:
    """Return a request; `error` if it is not one, MessageTooLarge before it is looked at."""
    if len(data) > edge.max_message_bytes:
        raise MessageTooLarge(
            f"{MessageTooLarge.__doc__} ({len(data)} vs. {edge.max_message_bytes})"
        )
    try:
        return kind.FromString(data)
    except DecodeError as trouble:
        raise error(f"{error.__doc__}: {trouble}") from None


def check_client_version(metadata: Metadata) -> None:
    """Refuse a client-api-version header that is not text.

    What is no UTF-8 reaches us with U+FFFD in its place (native) or read as Latin-1 (grpcio).
    """
    for key, value in metadata:
        if key != "client-api-version" or (isinstance(value, str) and value.isascii()):
            continue
        try:
            raw = value if isinstance(value, bytes) else value.encode("latin-1")
            raw.decode()
        except UnicodeDecodeError:
            raise InvalidClientVersion from None
        except UnicodeEncodeError:
            if "\ufffd" in value:
                raise InvalidClientVersion from None


def unknown_call(path: str, services: Iterable[str]) -> str:
    """Return etcd's words for a call that no service takes."""
    service, _, method = path.lstrip("/").rpartition("/")
    if service in services:
        return f"unknown method {method} for service {service}"
    return f"unknown service {service}"


async def respond(edge: Edge, method: Direct | Unary, request: Any) -> bytes:
    """Call a method and return its encoded answer; DatastoreError when it is refused."""
    if isinstance(method, Unary):
        return bytes((await method.call(edge, request)).SerializeToString())
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    method.start(edge, request, future)
    return method.encode(edge, await future)
