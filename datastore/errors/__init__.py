"""Every error the datastore answers with: one class an error, its docstring is the exact wire text.

etcd's clients recognise an error by its message alone, other clients by the gRPC code, so both are
exact. `code` names a gRPC status code, so that neither `mvcc` nor `backends` knows gRPC; the two
gRPC fronts and the gateway (`rpc/grpcio_front.py`, `rpc/native_front.py`, `gateway/statuses.py`)
answer with it. Here are the errors of keys, transactions, leases and watches, and those of
anything; `errors/auth.py` and `errors/members.py` have those of their subjects.

Errors that never reach the wire (a bad flag, a database that cannot be used) are `ConfigError`
and `StartError`: the command line prints them as one line and exits with 2.
"""


class ConfigError(Exception):
    """A flag or a URL is wrong; the message names it and the remedy."""


class StartError(ConfigError):
    """The server cannot start: port in use, database refused, foreign or newer data."""


class DatastoreError(Exception):
    """etcdserver: unknown error"""

    code = "UNKNOWN"

    def __init__(self, text: str = "") -> None:
        super().__init__(text or self.__doc__ or "")


class InvalidRequest(DatastoreError):
    """etcdserver: invalid request"""

    code = "INVALID_ARGUMENT"


class EmptyKey(InvalidRequest):
    """etcdserver: key is not provided"""


class KeyNotFound(InvalidRequest):
    """etcdserver: key not found"""


class ValueProvided(InvalidRequest):
    """etcdserver: value is provided"""


class LeaseProvided(InvalidRequest):
    """etcdserver: lease is provided"""


class TooManyOperations(InvalidRequest):
    """etcdserver: too many operations in txn request"""


class DuplicateKey(InvalidRequest):
    """etcdserver: duplicate key given in txn request"""


class InvalidSortOption(InvalidRequest):
    """etcdserver: invalid sort option"""


class InvalidClientVersion(InvalidRequest):
    """etcdserver: invalid client api version"""


class RequestTooLarge(InvalidRequest):
    """etcdserver: request is too large"""


class KeyTooLong(InvalidRequest):
    """etcdserver: key is longer than this datastore can index"""


class TooManyEvents(InvalidRequest):
    """etcdserver: request changes more than 1048576 keys in one revision"""


class RevisionOutOfRange(DatastoreError):
    """etcdserver: mvcc: required revision is out of range"""

    code = "OUT_OF_RANGE"


class Compacted(RevisionOutOfRange):
    """etcdserver: mvcc: required revision has been compacted"""


class FutureRevision(RevisionOutOfRange):
    """etcdserver: mvcc: required revision is a future revision"""


class LeaseTTLTooLarge(RevisionOutOfRange):
    """etcdserver: too large lease TTL"""


class Exhausted(DatastoreError):
    """etcdserver: resource exhausted"""

    code = "RESOURCE_EXHAUSTED"


class NoSpace(Exhausted):
    """etcdserver: mvcc: database space exceeded"""


class TooManyRequests(Exhausted):
    """etcdserver: too many requests"""


class NotFound(DatastoreError):
    """etcdserver: not found"""

    code = "NOT_FOUND"


class LeaseNotFound(NotFound):
    """etcdserver: requested lease not found"""


class FailedPrecondition(DatastoreError):
    """etcdserver: failed precondition"""

    code = "FAILED_PRECONDITION"


class LeaseExists(FailedPrecondition):
    """etcdserver: lease already exists"""


class Unavailable(DatastoreError):
    """etcdserver: request timed out"""

    code = "UNAVAILABLE"


class ServerStopped(Unavailable):
    """etcdserver: server stopped"""


class CorruptCluster(DatastoreError):
    """etcdserver: corrupt cluster"""

    code = "DATA_LOSS"


class WatchCanceled(DatastoreError):
    """etcdserver: watch canceled"""

    code = "CANCELLED"


class Unsupported(DatastoreError):
    """etcdserver: not supported by this datastore"""

    code = "UNIMPLEMENTED"


class SortedStream(Unsupported):
    """RangeStream does not support custom sort orders"""


class FilteredStream(Unsupported):
    """RangeStream does not support revision filters"""


class MalformedRequest(DatastoreError):
    """grpc: error unmarshalling request"""

    code = "INTERNAL"


class MalformedMessage(MalformedRequest):
    """grpc: failed to unmarshal the received message"""


class MessageTooLarge(Exhausted):
    """grpc: received message larger than max"""
