"""A live etcd, or a server of ours, as the source of an import: pages of one pinned revision."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import grpc

from datastore.errors import Compacted
from datastore.tools.endpoint import Server, connect, credentials, said
from datastore.tools.moving.record import BATCH_BYTES, CannotMove, Record, SourceCompacted
from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datastore.mvcc.auth.model import AuthTables

FIRST_PAGE, LARGEST_PAGE = 16, 1_000  # keys: nobody knows yet how large the values are
EVERY = b"\0"
COUNT = pb.RangeRequest(key=EVERY, range_end=EVERY, count_only=True)
LEASES_AT_ONCE = 100
GONE_SECONDS = 1  # for keys whose lease ended while they were read


class EtcdSource:
    """See `Source`; users cannot be read over the network, since their passwords cannot."""

    def __init__(self, server: Server) -> None:
        self.name = server.endpoint
        self.identity = ""
        self.auth_on = False
        self._server = server
        self._revision = 0

    def __enter__(self) -> Self:
        self._channel = connect(self._server)
        with self._named():
            self._who = credentials(self._channel, self._server)
            self._kv = rpc_pb2_grpc.KVStub(self._channel)
            self._lease = rpc_pb2_grpc.LeaseStub(self._channel)
            self.auth_on = bool(self._server.user) or self._auth_status()
            header = self._range(COUNT).header
        self.identity = f"etcd {header.cluster_id}"
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def newest(self) -> int:
        """Return the revision of now."""
        return int(self._range(COUNT).header.revision)

    def pin(self, revision: int) -> int:
        """Read at this revision."""
        self._revision = revision
        return int(self._page(b"", 1, keys_only=True).count)

    def records(self, after: bytes) -> Iterator[list[Record]]:
        """Yield a page after the other, each of about BATCH_BYTES."""
        limit, more = FIRST_PAGE, True
        while more:
            page = self._page(after, limit)
            records = [
                Record(kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.version, kv.lease)
                for kv in page.kvs
            ]
            if records:
                yield records
                after = records[-1].key
                average = sum(record.size for record in records) // len(records)
                limit = max(1, min(LARGEST_PAGE, BATCH_BYTES // average))
            more = page.more

    def leases(self) -> dict[int, int]:
        """Ask for every lease, many at a time."""
        with self._named():
            answer = self._lease.LeaseLeases(pb.LeaseLeasesRequest(), metadata=self._who)
            ids = [lease.ID for lease in answer.leases]
            return {
                lease: ttl
                for at in range(0, len(ids), LEASES_AT_ONCE)
                for lease, ttl in self._granted(ids[at : at + LEASES_AT_ONCE])
            }

    def users(self) -> AuthTables | None:
        """Return nothing: etcd shows no password, not even its hash."""
        return None

    def _granted(self, ids: list[int]) -> list[tuple[int, int]]:
        asked = [
            self._lease.LeaseTimeToLive.future(
                pb.LeaseTimeToLiveRequest(ID=lease), metadata=self._who
            )
            for lease in ids
        ]
        answers = [call.result() for call in asked]
        return [(answer.ID, answer.grantedTTL or GONE_SECONDS) for answer in answers]

    def _auth_status(self) -> bool:
        stub = rpc_pb2_grpc.AuthStub(self._channel)
        return bool(stub.AuthStatus(pb.AuthStatusRequest()).enabled)

    def _page(self, after: bytes, limit: int, *, keys_only: bool = False) -> pb.RangeResponse:
        request = pb.RangeRequest(key=after + b"\0", range_end=EVERY, limit=limit)
        request.revision, request.keys_only = self._revision, keys_only
        return self._range(request)

    def _range(self, request: pb.RangeRequest) -> pb.RangeResponse:
        with self._named():
            answer: pb.RangeResponse = self._kv.Range(request, metadata=self._who)
            return answer

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            text = said(error)
            if text == Compacted.__doc__:
                raise SourceCompacted from error
            raise CannotMove(f"{self.name}: {text}") from error
