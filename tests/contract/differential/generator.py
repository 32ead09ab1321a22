"""Random operations, weighted towards what is interesting: few keys, near revisions, ranges that
touch.

What would end a real etcd is never made: a txn that deletes never keeps the value or lease of a
key.
"""

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from proto.etcd import rpc_pb2 as pb
from tests.contract.differential.operations import (
    STREAMS,
    Call,
    CancelWatch,
    CreateWatch,
    HashKeySpace,
    KeepAlive,
    Operation,
    ReopenStream,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = [
    *(b"\0", b"\0\0", b"\0a", b"a", b"a\0", b"a\0\0", b"a/", b"aa", b"ab", b"b", b"b\xff", b"c"),
    *(b"k/1", b"k/2", b"k/3", b"k/30", b"K/1", b"\x7f", b"\x80", b"\xff", b"\xff\0", b"\xff\xff"),
    *(b"%", b"_", b"'", "é".encode(), b"\xc3(", b"long" * 50),
]
VALUES = [b"", b"\0", b"1", b"2", b"3", b"\xff\xfe", b"x" * 300, b"v" * 20_000]
LEASES = [11, 12, 13, -14, 2**63 - 1, 99]
CREATABLE_LEASES = LEASES[:-1]
LONG_TTL = 100_000
FAR = 1_000_000
UNKNOWN_WATCH = 77


@dataclass
class State:
    """What the generator knows of the store both servers hold."""

    revision: int = 1
    compacted: int = 0
    compactions: set[int] = field(default_factory=set)
    remade: set[int] = field(default_factory=set)  # revisions that may have put what they deleted
    watch_ids: list[list[int]] = field(default_factory=lambda: [[] for _ in range(STREAMS)])


class Generator:
    """Makes one operation after the other from a source of randomness."""

    def __init__(self, random: Random, state: State) -> None:
        self._random = random
        self._state = state
        self._makers: list[tuple[int, Callable[[], Operation]]] = [
            (24, lambda: Call("kv.Put", self._put())),
            (24, lambda: Call("kv.Range", self._range())),
            (8, lambda: Call("kv.DeleteRange", self._delete_range())),
            (22, lambda: Call("kv.Txn", self._txn(depth=0, deletes=self._chance(60)))),
            (2, self._compact),
            (3, self._grant),
            (1, self._revoke),
            (3, self._time_to_live),
            (1, lambda: Call("lease.LeaseLeases", pb.LeaseLeasesRequest())),
            (1, lambda: KeepAlive(self._random.choice(LEASES))),
            (2, lambda: HashKeySpace(self._hashed_revision())),
            (6, self._create_watch),
            (3, self._cancel_watch),
            (1, lambda: ReopenStream(self._random.randrange(STREAMS))),
        ]
        self._weights = [weight for weight, _ in self._makers]

    def next(self) -> Operation:
        """Return the next operation."""
        (maker,) = self._random.choices(self._makers, self._weights)
        return maker[1]()

    def _back(self, most: int) -> int:
        """A revision up to `most` before now. What is drawn depends on no state: it must replay."""
        return self._state.revision - self._random.randint(0, most)

    def _chance(self, percent: int) -> bool:
        return self._random.randrange(100) < percent

    def _key(self) -> bytes:
        return b"" if self._chance(1) else self._random.choice(KEYS)

    def _range_end(self, key: bytes) -> bytes:
        return self._random.choice(
            [b"", b"", b"", b"\0", key + b"\0", _prefix_end(key), self._random.choice(KEYS)]
        )

    def _revision(self) -> int:
        """Mostly now; else between the compacted one and now, or just outside."""
        if self._chance(65):
            return 0
        now, compacted = self._state.revision, self._state.compacted
        near = max(1, self._back(20))
        choices = [near, near, near, now, now + 1, max(compacted, 0), compacted - 1, -1, FAR]
        return self._random.choice(choices)

    def _hashed_revision(self) -> int:
        now, compacted = self._state.revision, self._state.compacted
        near = max(1, self._back(20))
        return self._random.choice([0, near, near, compacted + 1, compacted - 1, now + 1, -1])

    def _lease(self) -> int:
        return self._random.choice(LEASES) if self._chance(25) else 0

    def _put(self, may_keep: bool = True) -> pb.PutRequest:
        request = pb.PutRequest(
            key=self._key(), value=self._random.choice(VALUES), lease=self._lease()
        )
        request.prev_kv = self._chance(30)
        if may_keep and self._chance(8):
            request.ignore_value = True
            request.value = b"" if self._chance(90) else b"x"
        if may_keep and self._chance(8):
            request.ignore_lease = True
            request.lease = 0 if self._chance(90) else 11
        return request

    def _range(self) -> pb.RangeRequest:
        key = self._key()
        request = pb.RangeRequest(
            key=key, range_end=self._range_end(key), revision=self._revision()
        )
        request.limit = self._random.choice([0, 0, 0, 1, 2, 3, 10, -1])
        request.serializable = self._chance(20)
        request.keys_only = self._chance(15)
        request.count_only = self._chance(10)
        if self._chance(30):
            self._sort(request)
        if self._chance(20):
            self._bound(request)
        return request

    def _sort(self, request: pb.RangeRequest) -> None:
        order: Any = self._random.choice([0, 1, 2, 2, 1, 2, 1, 0, 2, 1, 3])
        target: Any = self._random.choice([0, 1, 2, 3, 4, 1, 2, 3, 4, 1, 5])
        request.sort_order, request.sort_target = order, target

    def _bound(self, request: pb.RangeRequest) -> None:
        names = (
            "min_mod_revision",
            "max_mod_revision",
            "min_create_revision",
            "max_create_revision",
        )
        for name in names:
            if self._chance(35):
                bound = self._state.revision - self._random.randint(-2, 30)
                setattr(request, name, bound)

    def _delete_range(self) -> pb.DeleteRangeRequest:
        key = self._key()
        end = self._range_end(key) if self._chance(60) else b""
        return pb.DeleteRangeRequest(key=key, range_end=end, prev_kv=self._chance(40))

    def _compare(self) -> pb.Compare:
        key = self._key()
        compare = pb.Compare(key=key, range_end=self._range_end(key) if self._chance(25) else b"")
        result: Any = self._random.choice([0, 1, 2, 3] * 6 + [7])
        target: Any = self._random.choice([0, 1, 2, 3, 4] * 6 + [9])
        compare.result, compare.target = result, target
        union = target if self._chance(95) else self._random.randrange(5)
        near = self._state.revision - self._random.randrange(12)
        if union == pb.Compare.VERSION:
            compare.version = self._random.randrange(4)
        elif union == pb.Compare.CREATE:
            compare.create_revision = self._random.choice([0, near])
        elif union == pb.Compare.MOD:
            compare.mod_revision = self._random.choice([0, near])
        elif union == pb.Compare.VALUE:
            compare.value = self._random.choice(VALUES)
        elif union == pb.Compare.LEASE:
            compare.lease = self._random.choice([0, *LEASES])
        return compare

    def _txn(self, depth: int, deletes: bool) -> pb.TxnRequest:
        def ops() -> list[pb.RequestOp]:
            return [
                self._op(depth, deletes) for _ in range(self._random.choice([0, 1, 1, 2, 3, 4]))
            ]

        compares = [self._compare() for _ in range(self._random.choice([0, 1, 1, 2]))]
        return pb.TxnRequest(compare=compares, success=ops(), failure=ops())

    def _op(self, depth: int, deletes: bool) -> pb.RequestOp:
        kind = self._random.randrange(100)
        if kind < 40:
            return pb.RequestOp(request_put=self._put(may_keep=not deletes))
        if kind < 70:
            return pb.RequestOp(request_range=self._range())
        if kind < 88 and deletes:
            return pb.RequestOp(request_delete_range=self._delete_range())
        if kind < 99 and depth < 3:
            return pb.RequestOp(request_txn=self._txn(depth + 1, deletes))
        return pb.RequestOp() if kind == 99 else pb.RequestOp(request_range=self._range())

    def _compact(self) -> Call:
        now, compacted = self._state.revision, self._state.compacted
        past = max(compacted, self._back(40))
        revision = self._random.choice([now, now + 1, compacted, past, past])
        while revision in self._state.remade:  # etcd loses the put, and dies of the next read
            revision -= 1
        request = pb.CompactionRequest(revision=revision, physical=self._chance(50))
        return Call("kv.Compact", request)

    def _grant(self) -> Call:
        ttl = LONG_TTL if self._chance(95) else 9_000_000_001
        request = pb.LeaseGrantRequest(ID=self._random.choice(CREATABLE_LEASES), TTL=ttl)
        return Call("lease.LeaseGrant", request)

    def _revoke(self) -> Call:
        return Call("lease.LeaseRevoke", pb.LeaseRevokeRequest(ID=self._random.choice(LEASES)))

    def _time_to_live(self) -> Call:
        request = pb.LeaseTimeToLiveRequest(ID=self._random.choice(LEASES), keys=self._chance(80))
        return Call("lease.LeaseTimeToLive", request)

    def _create_watch(self) -> CreateWatch:
        key = self._key()
        request = pb.WatchCreateRequest(key=key, range_end=self._range_end(key))
        request.start_revision = self._start_revision()
        request.prev_kv = self._chance(60)
        request.fragment = self._chance(20)
        request.progress_notify = self._chance(20)
        if self._chance(20):
            request.watch_id = self._random.randint(-2, 20)
        filters: Any = self._random.choice([[], [], [], [], [0], [1], [0, 1], [5]])
        request.filters.extend(filters)
        return CreateWatch(self._random.randrange(STREAMS), request)

    def _start_revision(self) -> int:
        now, compacted = self._state.revision, self._state.compacted
        past = max(1, compacted, self._back(40))
        return self._random.choice(
            [0, 0, past, past, past, now, now + 1, now + 3, max(1, compacted - 1), -1]
        )

    def _cancel_watch(self) -> CancelWatch:
        stream = self._random.randrange(STREAMS)
        known, index = self._state.watch_ids[stream], self._random.randrange(6)
        return CancelWatch(stream, known[index] if index < len(known) else UNKNOWN_WATCH)


def _prefix_end(prefix: bytes) -> bytes:
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else b"\0"
