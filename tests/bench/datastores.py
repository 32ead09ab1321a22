"""The rows of rows.py: our datastore, with each front, beside a real etcd.

All contenders run at once; a run on one follows a run on the other, so that a slow minute of the
machine meets all of them. A figure is the median of the runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import grpc

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.bench.compiled_client import Load, Server, run_loader
from tests.bench.contenders import Contender, contenders
from tests.bench.h2load import run_h2load
from tests.bench.rows import RAW, Row

PUT_PATH = "/etcdserverpb.KV/Put"
RAW_PUT = pb.PutRequest(key=b"/registry/raw", value=b"v" * 256)
FILLERS = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how often, and on what is measured; the delay in milliseconds."""

    contenders: Sequence[str]
    runs: int
    seconds: float
    sync_delay_ms: float


def measure(
    rows: Sequence[Row], plan: Plan, say: Callable[[str], None]
) -> dict[str, dict[str, dict[str, float]]]:
    """Run the rows, which share their servers; return their figures by row and contender."""
    with contenders(plan.contenders, plan.sync_delay_ms) as servers:
        filled: list[Any] = []
        figures = {}
        for row in rows:
            if row.fill and row.fill not in filled:
                fill(servers, row, say)
                filled.append(row.fill)
            figures[row.name] = measure_row(row, plan, servers, say)
        return figures


def measure_row(
    row: Row, plan: Plan, servers: Sequence[Contender], say: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    """Run a row on each server in turn; return the medians of its figures by server."""
    runs: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
    for number in range(plan.runs):
        for server in servers:
            runs[server.name].append(_run(row, server, plan.seconds))
        rates = "  ".join(f"{n} {r[-1]['per_second']:,.0f}/s" for n, r in runs.items())
        say(f"{row.name}, run {number + 1} of {plan.runs}: {rates}")
    return {name: _medians(seen) for name, seen in runs.items()}


def _medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    return {figure: median(run[figure] for run in runs) for figure in runs[0]}


def _run(row: Row, server: Contender, seconds: float) -> dict[str, float]:
    if row.work == RAW:
        return asdict(_raw(row, server, seconds))
    return asdict(run_loader(server, row.work, seconds, **row.flags))


def _raw(row: Row, server: Contender, seconds: float) -> Load:
    """A gRPC error is an HTTP success to h2load; the store's revision tells the truth."""
    before = revision_of(server)
    in_flight, connections = row.flags["in_flight"], row.flags["connections"]
    load = run_h2load(server, PUT_PATH, RAW_PUT, in_flight, connections, seconds)
    written = revision_of(server) - before
    if written < load.ops:
        raise RuntimeError(f"{server.name} answered {load.ops} puts and wrote {written}")
    return load


def fill(servers: Sequence[Contender], row: Row, say: Callable[[str], None]) -> None:
    """Put what a row wants to find into each server's store."""
    for server in servers:
        say(f"{server.name}: {row.fill['keys']:,} keys")
        run_loader(server, "fill", 0, in_flight=FILLERS, connections=1, **row.fill)


def revision_of(server: Server) -> int:
    """Return the revision of a server's store."""
    with grpc.insecure_channel(server.address) as channel:
        answer = rpc_pb2_grpc.KVStub(channel).Range(pb.RangeRequest(key=b"/"))
        return int(answer.header.revision)
