"""A live etcd, or a server of ours, as the target of an export.

It gives its own revisions and versions; keys, values and leases (of the same ids) are as they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.tools.moving.etcd_source import EtcdSource
from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from datastore.tools.moving.record import Record

TXN_OPS = 128  # etcd's own limits on one request, which a server may have raised
TXN_BYTES = 1 << 20


class EtcdTarget(EtcdSource):
    """A server that is filled; it is read as a source is."""

    def grant(self, leases: Mapping[int, int]) -> None:
        """Grant those leases that are not there yet, each for its full time."""
        there = self.leases()
        stub = rpc_pb2_grpc.LeaseStub(self._channel)
        for lease, ttl in leases.items():
            if lease not in there:
                with self._named():
                    stub.LeaseGrant(pb.LeaseGrantRequest(ID=lease, TTL=ttl), metadata=self._who)

    def put(self, records: Iterable[Record]) -> None:
        """Put keys, as many in one transaction as etcd takes."""
        for chunk in chunks(records):
            puts = [
                pb.RequestOp(
                    request_put=pb.PutRequest(key=one.key, value=one.value, lease=one.lease)
                )
                for one in chunk
            ]
            with self._named():
                self._kv.Txn(pb.TxnRequest(success=puts), metadata=self._who)


def chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Split records so that each part is one request; a large one goes alone."""
    chunk: list[Record] = []
    size = 0
    for record in records:
        if chunk and (len(chunk) == TXN_OPS or size + record.size > TXN_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += record.size
    if chunk:
        yield chunk
