"""put/s and range/s of our datastore beside a real etcd: same machine, same client, runs taken in
turn.

Every target makes each write durable: etcd with its fsync, SQLite with synchronous=FULL, PostgreSQL
with synchronous_commit=on. Runs alternate between the targets, so that a slow minute of the machine
meets all of them; the result is the median over the rounds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

import grpc

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.bench.load import LoadClient, Rate, Request, put, range_many, range_one
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.postgres import Postgres

ETCD = "etcd"
VALUE = b"x" * 1024
PREFIX = b"/bench/"
KEYS = 1000
LISTED = 100
IN_FLIGHT = (4, 64)
ROUNDS = 3
SECONDS = 2.0

OPERATIONS: Mapping[str, Request] = {
    "put, 1 KiB": put(PREFIX + b"put", VALUE),
    "range, one key": range_one(PREFIX + b"00000"),
    f"range, {LISTED} keys": range_many(PREFIX, LISTED),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A server that is measured: its column, its host:port, and what it is."""

    name: str
    address: str
    what: str


@dataclass(frozen=True, slots=True)
class Row:
    """Medians of one operation with one number in flight, by target name."""

    operation: str
    in_flight: int
    per_second: dict[str, float]
    mean_ms: dict[str, float]

    def ratio(self, target: str) -> float:
        """How many times etcd's rate the target reached."""
        return self.per_second[target] / self.per_second[ETCD]


@contextmanager
def _etcd() -> Iterator[Target]:
    with Etcd(["--unsafe-no-fsync=false"]) as server:
        yield Target(ETCD, server.address, str(server.binary))


@contextmanager
def _sqlite() -> Iterator[Target]:
    with Datastore() as server:
        yield Target("SQLite", server.address, "our datastore on a SQLite file, synchronous=FULL")


@contextmanager
def _postgres() -> Iterator[Target]:
    with Postgres() as database, Datastore(database.url("bench")) as server:
        yield Target("PostgreSQL", server.address, "our datastore on PostgreSQL, fsync=on")


TARGETS: Sequence[Callable[[], AbstractContextManager[Target]]] = (_etcd, _sqlite, _postgres)


def measure(client: LoadClient, say: Callable[[str], None]) -> tuple[list[Target], list[Row]]:
    """Run every operation on every target; the first target is etcd, against which ratios are."""
    with ExitStack() as servers:
        targets = [servers.enter_context(start()) for start in TARGETS]
        for target in targets:
            _fill(target)
        rows = []
        for operation, request in OPERATIONS.items():
            for in_flight in IN_FLIGHT:
                say(f"{operation}, {in_flight} in flight")
                rows.append(_row(client, targets, operation, request, in_flight))
        return targets, rows


def _row(
    client: LoadClient, targets: Sequence[Target], operation: str, request: Request, in_flight: int
) -> Row:
    rates: dict[str, list[Rate]] = {target.name: [] for target in targets}
    for _round in range(ROUNDS):
        for target in targets:
            before = _revision(target)
            rate = client.run(target.address, request, in_flight, SECONDS)
            if isinstance(request.message, pb.PutRequest):
                _check_puts(target, before, rate)
            rates[target.name].append(rate)
    return Row(
        operation,
        in_flight,
        {name: median(r.per_second for r in runs) for name, runs in rates.items()},
        {name: median(r.mean_ms for r in runs) for name, runs in rates.items()},
    )


def _check_puts(target: Target, before: int, rate: Rate) -> None:
    """A gRPC error is an HTTP success to a load generator; the store's revision tells the truth."""
    written = _revision(target) - before
    if written < rate.answered:
        raise RuntimeError(f"{target.name} answered {rate.answered} puts and wrote {written}")


def _revision(target: Target) -> int:
    with grpc.insecure_channel(target.address) as channel:
        answer = rpc_pb2_grpc.KVStub(channel).Range(pb.RangeRequest(key=PREFIX))
        return int(answer.header.revision)


def _fill(target: Target) -> None:
    """Write the keys that the range operations read, and see that they come back."""
    with grpc.insecure_channel(target.address) as channel:
        kv = rpc_pb2_grpc.KVStub(channel)
        for number in range(KEYS):
            kv.Put(pb.PutRequest(key=PREFIX + b"%05d" % number, value=VALUE))
        for operation, expected in (("range, one key", 1), (f"range, {LISTED} keys", LISTED)):
            found = len(kv.Range(OPERATIONS[operation].message).kvs)
            if found != expected:
                raise RuntimeError(f"{target.name}: {operation} found {found}")
