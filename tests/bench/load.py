"""Load on an etcd endpoint: one prepared gRPC request, sent again and again with a fixed number in
flight.

h2load (Debian package nghttp2-client) sends it where that is installed: it costs a few microseconds
a request, so the server is what is measured. Without it a Python client does, which is itself the
limit for fast servers; the report says which one it was.
"""

import asyncio
import re
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, cast

import grpc.aio
from google.protobuf.message import Message

from proto.etcd import rpc_pb2 as pb

WARM_UP_SECONDS = 1
CHANNEL_OPTIONS = [("grpc.max_receive_message_length", -1)]

UnaryCall = Callable[[bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Request:
    """One unary call, ready to be sent: the gRPC method's path and the message."""

    path: str
    message: Message

    @property
    def frame(self) -> bytes:
        """The message as gRPC frames it: uncompressed, length in front."""
        body = self.message.SerializeToString()
        return struct.pack(">BI", 0, len(body)) + body


@dataclass(frozen=True, slots=True)
class Rate:
    """What one run achieved: requests answered per second, their mean time, and how many."""

    per_second: float
    mean_ms: float
    answered: int


class LoadClient(Protocol):
    """Something that sends a request over and over."""

    name: str

    def run(self, address: str, request: Request, in_flight: int, seconds: float) -> Rate:
        """Send for `seconds` after a short warm-up; RuntimeError when a request failed."""


class H2Load:
    """h2load, one connection, `in_flight` streams."""

    name = "h2load"

    def run(self, address: str, request: Request, in_flight: int, seconds: float) -> Rate:
        with tempfile.NamedTemporaryFile(prefix="tapir-bench-") as body:
            body.write(request.frame)
            body.flush()
            argv = ["h2load", f"--duration={seconds:.0f}", f"--warm-up-time={WARM_UP_SECONDS}s"]
            argv += ["--clients=1", "--threads=1", f"--max-concurrent-streams={in_flight}"]
            argv += [f"--data={body.name}", "--header=content-type: application/grpc"]
            argv += ["--header=te: trailers", f"http://{address}{request.path}"]
            done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120)
        return parse_h2load(done.stdout)


def parse_h2load(output: str) -> Rate:
    """Read h2load's report. RuntimeError when it reports a failed request or is not understood."""
    rate = re.search(r"finished in .*?, ([\d.]+) req/s", output)
    counts = re.search(r"requests: .*?(\d+) succeeded, (\d+) failed, (\d+) errored", output)
    mean = re.search(r"time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)", output)
    if not rate or not counts or not mean:
        raise RuntimeError(f"h2load's report is not understood: {output}")
    if int(counts[2]) or int(counts[3]):
        raise RuntimeError(f"requests failed: {output}")
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}[mean[2]]
    return Rate(float(rate[1]), float(mean[1]) * scale, int(counts[1]))


class PythonClient:
    """grpc.aio, one channel, `in_flight` callers."""

    name = "Python grpc client"

    def run(self, address: str, request: Request, in_flight: int, seconds: float) -> Rate:
        return asyncio.run(self._run(address, request, in_flight, seconds))

    async def _run(self, address: str, request: Request, in_flight: int, seconds: float) -> Rate:
        body = request.message.SerializeToString()
        async with grpc.aio.insecure_channel(address, CHANNEL_OPTIONS) as channel:
            call = cast("UnaryCall", channel.unary_unary(request.path))
            await _send_until(call, body, in_flight, time.monotonic() + WARM_UP_SECONDS)
            began = time.monotonic()
            answered = await _send_until(call, body, in_flight, began + seconds)
            took = time.monotonic() - began
        return Rate(answered / took, took * in_flight / answered * 1000, answered)


async def _send_until(
    call: UnaryCall,
    body: bytes,
    in_flight: int,
    end: float,
) -> int:
    async def caller() -> int:
        sent = 0
        while time.monotonic() < end:
            await call(body)
            sent += 1
        return sent

    return sum(await asyncio.gather(*(caller() for _ in range(in_flight))))


def load_client() -> LoadClient:
    """Return the best client this machine has."""
    return H2Load() if shutil.which("h2load") else PythonClient()


def put(key: bytes, value: bytes) -> Request:
    """Overwrite one key."""
    return Request("/etcdserverpb.KV/Put", pb.PutRequest(key=key, value=value))


def range_one(key: bytes) -> Request:
    """Read one key, linearizable."""
    return Request("/etcdserverpb.KV/Range", pb.RangeRequest(key=key))


def range_many(prefix: bytes, limit: int) -> Request:
    """Read the first `limit` keys of a prefix, linearizable."""
    end = prefix[:-1] + bytes([prefix[-1] + 1])
    message = pb.RangeRequest(key=prefix, range_end=end, limit=limit)
    return Request("/etcdserverpb.KV/Range", message)
