"""What is done to both servers: unary calls, and steps on watch streams."""

from dataclasses import dataclass

from google.protobuf.message import Message

from proto.etcd import rpc_pb2 as pb

STREAMS = 3
FIRST_WATCH_ID = 0  # of each stream: a watcher that stays, so that progress is always answered


@dataclass(frozen=True)
class Call:
    """A unary call, by the name of its service and method: "kv.Put"."""

    method: str
    request: Message


@dataclass(frozen=True)
class KeepAlive:
    """A renewal on a stream of its own."""

    lease_id: int


@dataclass(frozen=True)
class CreateWatch:
    """A create request on one of the streams."""

    stream: int
    request: pb.WatchCreateRequest


@dataclass(frozen=True)
class CancelWatch:
    """A cancel request on one of the streams."""

    stream: int
    watch_id: int


@dataclass(frozen=True)
class ReopenStream:
    """Close one of the streams with all its watchers and open another."""

    stream: int


@dataclass(frozen=True)
class HashKeySpace:
    """HashKV at a revision."""

    revision: int


Operation = Call | KeepAlive | HashKeySpace | CreateWatch | CancelWatch | ReopenStream
