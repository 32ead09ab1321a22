"""The words the contract tests are written in: operations, comparisons, key-values and events as
plain values.

A key given as `str` is the test's own and gets its prefix when it is sent; `bytes` go on the
wire as they are. So a table of requests can stand at the top of a file though every test has
another prefix.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from proto.etcd import kv_pb2
from proto.etcd import rpc_pb2 as pb

Name = str | bytes
KeyOf = Callable[[Name], bytes]

PUT = kv_pb2.Event.PUT
DELETE = kv_pb2.Event.DELETE

RESULTS = {
    "=": pb.Compare.EQUAL,
    ">": pb.Compare.GREATER,
    "<": pb.Compare.LESS,
    "!=": pb.Compare.NOT_EQUAL,
}
TARGETS = {
    "version": (pb.Compare.VERSION, "version"),
    "create": (pb.Compare.CREATE, "create_revision"),
    "mod": (pb.Compare.MOD, "mod_revision"),
    "value": (pb.Compare.VALUE, "value"),
    "lease": (pb.Compare.LEASE, "lease"),
}


@dataclass(frozen=True, slots=True)
class If:
    """One comparison of a Txn: If("x", "mod", "=", 0)."""

    key: Name
    target: str
    result: str
    operand: Any
    end: Name = b""

    def message(self, key_of: KeyOf) -> pb.Compare:
        """The message on the wire."""
        target, operand_field = TARGETS[self.target]
        return pb.Compare(
            key=key_of(self.key),
            range_end=key_of(self.end),
            target=target,
            result=RESULTS[self.result],
            **{operand_field: self.operand},
        )


@dataclass(frozen=True, slots=True)
class Put:
    """A put inside a Txn."""

    key: Name
    value: bytes = b""
    lease: int = 0
    prev_kv: bool = False
    ignore_value: bool = False
    ignore_lease: bool = False

    def message(self, key_of: KeyOf) -> pb.RequestOp:
        """The message on the wire."""
        return pb.RequestOp(
            request_put=pb.PutRequest(
                key=key_of(self.key),
                value=self.value,
                lease=self.lease,
                prev_kv=self.prev_kv,
                ignore_value=self.ignore_value,
                ignore_lease=self.ignore_lease,
            )
        )


@dataclass(frozen=True, slots=True)
class Range:
    """A range inside a Txn."""

    key: Name
    end: Name = b""
    revision: int = 0
    limit: int = 0
    count_only: bool = False
    sort_order: int = 0
    sort_target: int = 0

    def message(self, key_of: KeyOf) -> pb.RequestOp:
        """The message on the wire."""
        request = pb.RangeRequest(
            key=key_of(self.key),
            range_end=key_of(self.end),
            revision=self.revision,
            limit=self.limit,
            count_only=self.count_only,
        )
        request.sort_order = self.sort_order  # type: ignore[assignment]  # unknown numbers are tested
        request.sort_target = self.sort_target  # type: ignore[assignment]
        return pb.RequestOp(request_range=request)


@dataclass(frozen=True, slots=True)
class Delete:
    """A delete_range inside a Txn."""

    key: Name
    end: Name = b""
    prev_kv: bool = False

    def message(self, key_of: KeyOf) -> pb.RequestOp:
        """The message on the wire."""
        return pb.RequestOp(
            request_delete_range=pb.DeleteRangeRequest(
                key=key_of(self.key), range_end=key_of(self.end), prev_kv=self.prev_kv
            )
        )


@dataclass(frozen=True, slots=True)
class Nothing:
    """An operation with no member of the oneof set."""

    def message(self, key_of: KeyOf) -> pb.RequestOp:
        """The message on the wire."""
        return pb.RequestOp()


@dataclass(frozen=True, slots=True)
class Txn:
    """A Txn, alone or inside another."""

    compare: Sequence[If] = ()
    success: Sequence["Op"] = ()
    failure: Sequence["Op"] = ()

    def request(self, key_of: KeyOf) -> pb.TxnRequest:
        """The request when it stands alone."""
        return pb.TxnRequest(
            compare=[term.message(key_of) for term in self.compare],
            success=[op.message(key_of) for op in self.success],
            failure=[op.message(key_of) for op in self.failure],
        )

    def message(self, key_of: KeyOf) -> pb.RequestOp:
        """The message on the wire when it is nested."""
        return pb.RequestOp(request_txn=self.request(key_of))


Op = Put | Range | Delete | Nothing | Txn


def put_event(kv: kv_pb2.KeyValue, prev_kv: kv_pb2.KeyValue | None = None) -> kv_pb2.Event:
    """The event of a put that left `kv`."""
    return kv_pb2.Event(type=PUT, kv=kv, prev_kv=prev_kv)


def delete_event(key: bytes, revision: int, prev_kv: kv_pb2.KeyValue | None = None) -> kv_pb2.Event:
    """The event of a delete: only key and mod_revision of `kv` are set."""
    return kv_pb2.Event(
        type=DELETE, kv=kv_pb2.KeyValue(key=key, mod_revision=revision), prev_kv=prev_kv
    )
