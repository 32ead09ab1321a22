"""How the datastore's cost grows with the store: 10,000 keys beside 1,000,000 with as many old
revisions. Run as `python -m tests.bench.growth`; prints a table.

Each number is the median of single requests on one connection, so the machine's noise of a moment
is left out; memory is what the process has resident.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import grpc

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.support.datastore import Datastore
from tests.support.large_store import key_of, make_store

SIZES = ((10_000, 0), (1_000_000, 1_000_000))
REQUESTS = 300
PAGE = 500
STREAMED_KEYS = 200_000
PREFIX, END = b"/registry/bench/", b"/registry/bench0"
UNLIMITED = [("grpc.max_receive_message_length", -1)]


@dataclass(frozen=True, slots=True)
class Grown:
    """What one store costs: milliseconds, seconds, MB."""

    start_seconds: float
    resting_mb: float
    streaming_mb: float
    paging_mb: float
    milliseconds: dict[str, float]


def measure(keys: int, updates: int) -> Grown:
    """Make a store of a size and ask it one thing after the other."""
    with tempfile.TemporaryDirectory(prefix="tapir-growth-") as directory:
        path = Path(directory) / "store.db"
        pinned = make_store(path, keys, updates)
        began = time.monotonic()
        with Datastore(f"sqlite:///{path}", ["--quota-backend-bytes=-1"]) as server:
            started = time.monotonic() - began
            with grpc.insecure_channel(server.address, options=UNLIMITED) as channel:
                kv = rpc_pb2_grpc.KVStub(channel)
                timed = {name: _median_ms(call) for name, call in _calls(kv, keys, pinned).items()}
                resting = _resident_mb(server.pid)
                end = key_of(min(keys, STREAMED_KEYS))
                for _piece in kv.RangeStream(pb.RangeRequest(key=PREFIX, range_end=end)):
                    pass
                streaming = _peak_mb(server.pid)
                _read_in_pages(kv, end)
                return Grown(started, resting, streaming, _peak_mb(server.pid), timed)


def _calls(kv: rpc_pb2_grpc.KVStub, keys: int, pinned: int) -> dict[str, Callable[[int], object]]:
    """Return the requests; each is given a number that spreads them over the keys."""

    def spread(number: int) -> bytes:
        return key_of(number * 7919 % (keys - PAGE))

    return {
        "point read": lambda n: kv.Range(pb.RangeRequest(key=spread(n))),
        "page, newest": lambda n: kv.Range(_page(PREFIX, END, 0)),
        "page, pinned": lambda n: kv.Range(_page(PREFIX, END, pinned)),
        "put": lambda n: kv.Put(pb.PutRequest(key=spread(n), value=b"v" * 1024)),
    }


def _page(key: bytes, end: bytes, revision: int) -> pb.RangeRequest:
    return pb.RangeRequest(key=key, range_end=end, limit=PAGE, revision=revision)


def _median_ms(call: Callable[[int], object]) -> float:
    took = []
    for number in range(REQUESTS):
        began = time.perf_counter()
        call(number)
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


def _read_in_pages(kv: rpc_pb2_grpc.KVStub, end: bytes) -> None:
    key, revision = PREFIX, 0
    while True:
        answer = kv.Range(_page(key, end, revision))
        if not answer.more:
            return
        key, revision = answer.kvs[-1].key + b"\0", revision or answer.header.revision


def _resident_mb(pid: int) -> float:
    return _status(pid, "VmRSS")


def _peak_mb(pid: int) -> float:
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1000
    raise RuntimeError(f"no {name} of process {pid}")


def main() -> None:
    """Measure both sizes and print them side by side."""
    small, large = (measure(*size) for size in SIZES)
    lines = [
        "| | 10,000 keys | 1,000,000 keys, as many old revisions | ratio |",
        "|---|---|---|---|",
    ]
    for name, before in small.milliseconds.items():
        after = large.milliseconds[name]
        lines.append(f"| {name}, ms | {before:.2f} | {after:.2f} | {after / before:.2f} |")
    for what in ("start_seconds", "resting_mb", "streaming_mb", "paging_mb"):
        before, after = getattr(small, what), getattr(large, what)
        lines.append(f"| {what.replace('_', ', ')} | {before:.1f} | {after:.1f} | |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
