"""A watch stream that is silent but for its keep-alive pings, as a kube-apiserver keeps many of
them.

It lives beside the other tests of its target, in grpc's own threads, so that nobody has to wait
for the pings.
"""

import queue
import time

import grpc

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc

KEY = b"/idle-watch"
PING_SECONDS = 5.5  # etcd wants at least 5 s between two
PINGS = 3  # a server that minds them ends the connection at the third
OPTIONS = [
    ("grpc.keepalive_time_ms", int(PING_SECONDS * 1000)),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
]


class IdleWatch:
    """One watcher of KEY on a connection of its own."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, options=OPTIONS)
        self._requests: queue.SimpleQueue[pb.WatchRequest | None] = queue.SimpleQueue()
        self._call = rpc_pb2_grpc.WatchStub(self._channel).Watch(iter(self._requests.get, None))
        create = pb.WatchCreateRequest(key=KEY)
        self._requests.put(pb.WatchRequest(create_request=create))
        self.created: pb.WatchResponse = next(self._call)
        self._since = time.monotonic()

    @property
    def seconds_to_go(self) -> float:
        """How long until it has pinged PINGS times; negative when it has."""
        return self._since + PINGS * PING_SECONDS + 1 - time.monotonic()

    def next(self) -> pb.WatchResponse:
        """Return the next response.

        Raise grpc.RpcError if the connection is gone. Blocks: call it in a thread.
        """
        response: pb.WatchResponse = next(self._call)
        return response

    def close(self) -> None:
        """End the stream and the connection."""
        self._requests.put(None)
        self._call.cancel()
        self._channel.close()
