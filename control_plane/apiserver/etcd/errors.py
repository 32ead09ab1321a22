"""What can go wrong between the API server and its store, without a gRPC type in sight.

Raised by `client` and `watch`; turned into Status objects by `storage.status_of`.
Source: the error texts of etcd 3.4 to 3.7, which its clients compare as strings.
"""

import grpc


class StoreError(Exception):
    """The store refused or failed a request; the text is the store's own."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached, has no leader, or went away during the call.

    A write that ends so may or may not have happened.
    """


class UnconvertibleError(StoreError):
    """A stored object cannot be had in the version that is wanted; the text says why."""


class StoreTimeoutError(StoreError):
    """The store did not answer in time; a write may or may not have happened."""


class CompactedError(StoreError):
    """The revision asked for is older than what the store still keeps."""


class FutureRevisionError(StoreError):
    """The revision asked for has not happened yet."""


class ValueTooLargeError(StoreError):
    """The value is larger than the store takes."""


class StoreBusyError(StoreError):
    """The store is over its limit of waiting requests; nothing was written."""


_TEXTS: tuple[tuple[str, type[StoreError]], ...] = (
    ("mvcc: required revision has been compacted", CompactedError),
    ("mvcc: required revision is a future revision", FutureRevisionError),
    ("etcdserver: request is too large", ValueTooLargeError),
    ("etcdserver: too many requests", StoreBusyError),
    ("larger than max", ValueTooLargeError),
)

_CODES: dict[grpc.StatusCode, type[StoreError]] = {
    grpc.StatusCode.UNAVAILABLE: StoreUnavailableError,
    grpc.StatusCode.INTERNAL: StoreUnavailableError,
    grpc.StatusCode.CANCELLED: StoreUnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: StoreTimeoutError,
}

_NEVER_SENT = ("failed to connect", "connections to all backends failing", "Name resolution")


def store_error(error: grpc.aio.AioRpcError) -> StoreError:
    """Translate a failed call; the text is what the store said."""
    details = error.details() or error.code().name
    for text, kind in _TEXTS:
        if text in details:
            return kind(details)
    return _CODES.get(error.code(), StoreError)(details)


def was_never_sent(error: grpc.aio.AioRpcError) -> bool:
    """Whether the call failed before a byte of it left, so that repeating even a write is safe."""
    details = error.details() or ""
    return error.code() is grpc.StatusCode.UNAVAILABLE and any(
        text in details for text in _NEVER_SENT
    )
