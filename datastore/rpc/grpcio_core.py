"""The layer of grpcio below its two servers: a call, batches of operations on it, their events.

Both `grpc.server` and `grpc.aio.server` stand on this module of theirs. It is not documented, and
nobody else imports it here: what is used of it is this file. An operation belongs to one batch; a
batch may be begun from any thread, and its event comes out of the server's completion queue, with
what it was begun with as `tag`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Event = Any  # tag, success, batch_operations; of a new call: call, call_details, metadata
    Call = Any
    Operation = Any
    Then = Callable[[Event], None]

_core: Any = import_module("grpc._cython.cygrpc")
MORE_FOLLOWS = 1  # a message's flag: it need not be sent before the next one
NUMBERS = {code.name: code.value[0] for code in grpc.StatusCode}
_NO_METADATA = ()
_NOTHING_TO_DO = (_core.CompletionType.queue_timeout, _core.CompletionType.queue_shutdown)

new_server: Callable[[Sequence[tuple[str, int]], bool], Any] = _core.Server
new_queue: Callable[[], Any] = _core.CompletionQueue


def nothing(_: Event) -> None:
    """Take the event of a batch that nothing follows."""


def is_none(event: Event) -> bool:
    """Say whether nothing has happened: a queue had nothing in time, or has been shut down."""
    return event.completion_type in _NOTHING_TO_DO


def receive(call: Call, then: Then) -> None:
    """Wait for the next message."""
    call.start_server_batch((_core.ReceiveMessageOperation(0),), then)


def message_of(event: Event) -> bytes | None:
    """Return the message that was waited for; None when there is none any more."""
    found: bytes | None = event.batch_operations[0].message()
    return found


def await_end(call: Call, then: Then) -> None:
    """Wait for the end of a call, however it ends."""
    call.start_server_batch((_core.ReceiveCloseOnServerOperation(0),), then)


def was_cancelled(event: Event) -> bool:
    """Say whether a call ended otherwise than by its status: its client has gone, or its time."""
    return bool(event.batch_operations[0].cancelled())


def started() -> Operation:
    """Return the headers."""
    return _core.SendInitialMetadataOperation(_NO_METADATA, 0)


def message(data: bytes, flags: int = 0) -> Operation:
    """Return a message."""
    return _core.SendMessageOperation(data, flags)


def status(code: str, text: str) -> Operation:
    """Return the trailers, with the code of that name."""
    return _core.SendStatusFromServerOperation(
        _NO_METADATA, NUMBERS[code], text.encode(errors="replace"), 0
    )


def ended() -> Operation:
    """Return the wait for the end of a call, for the batch that ends it."""
    return _core.ReceiveCloseOnServerOperation(0)


def certificate_of(call: Call) -> Mapping[str, Sequence[bytes]]:
    """Return what TLS knows of a call's client; nothing without TLS."""
    known = _core.auth_context(call) or {}
    return {name.decode(): values for name, values in known.items()}


def peer_of(call: Call) -> str:
    """Return gRPC's name of the other end."""
    peer = call.peer()
    return peer.decode() if isinstance(peer, bytes) else str(peer)
