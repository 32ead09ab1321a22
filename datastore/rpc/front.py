"""The gRPC server: every service's table, and the options without which etcd's clients break."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.rpc import auth, cluster, election, health, kv, lease, lock, maintenance, watch
from datastore.rpc.answering import RECEIVE_EXTRA
from datastore.rpc.options import INT_MAX, GrpcOptions
from datastore.rpc.rules import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVICES = {
    module.SERVICE: guarded(module.SERVICE, module.METHODS)
    for module in (kv, watch, lease, maintenance, cluster, auth, lock, election, health)
}
REFUSED_TOO = 8  # a message so many times too large is refused in etcd's words, not gRPC's


def channel_options(options: GrpcOptions) -> Sequence[tuple[str, int]]:
    """Return the channel options.

    Answers have no size limit; idle clients may ping every 5 s, also without a call open (kube-
    apiserver pings idle watches every 30 s, and gRPC's own default would cut it off).
    """
    return (
        (
            "grpc.max_receive_message_length",
            min(REFUSED_TOO * (options.max_request_bytes + RECEIVE_EXTRA), INT_MAX),
        ),
        ("grpc.max_send_message_length", -1),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.keepalive_time_ms", options.keepalive_ms),
        ("grpc.keepalive_timeout_ms", options.keepalive_timeout_ms),
        ("grpc.max_concurrent_streams", min(options.max_streams, INT_MAX)),
        ("grpc.so_reuseport", int(options.reuse_port)),
    )
