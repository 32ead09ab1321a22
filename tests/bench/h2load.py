"""Debian's h2load (package nghttp2-client): one prepared gRPC request, sent again and again.

It costs a few microseconds a request, so a server's own capacity is what is measured.
"""

import re
import resource
import struct
import subprocess
import tempfile

from google.protobuf.message import Message

from tests.bench.compiled_client import Load, Server
from tests.bench.processes import cpu_seconds

WARM_UP_SECONDS = 1


def run_h2load(
    server: Server, path: str, message: Message, in_flight: int, connections: int, seconds: float
) -> Load:
    """Send for `seconds`, after a warm-up; RuntimeError when a request failed.

    A gRPC error is an HTTP success to h2load: the caller has to look at what became of the
    requests.
    """
    with tempfile.NamedTemporaryFile(prefix="tapir-bench-") as body:
        body.write(framed(message))
        body.flush()
        argv = ["h2load", f"--duration={seconds:.0f}", f"--warm-up-time={WARM_UP_SECONDS}s"]
        argv += [f"--clients={connections}", "--threads=1"]
        argv += [f"--max-concurrent-streams={in_flight // connections}"]
        argv += [f"--data={body.name}", "--header=content-type: application/grpc"]
        argv += ["--header=te: trailers", f"http://{server.address}{path}"]
        before, server_before = _children_cpu(), cpu_seconds(server.pid)
        done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120)
        used, server_used = _children_cpu() - before, cpu_seconds(server.pid) - server_before
    took = seconds + WARM_UP_SECONDS
    return parse(done.stdout, used / took, server_used / took)


def framed(message: Message) -> bytes:
    """Return the message as gRPC frames it: uncompressed, length in front."""
    body = message.SerializeToString()
    return struct.pack(">BI", 0, len(body)) + body


def parse(output: str, client_cpu: float, server_cpu: float) -> Load:
    """Read h2load's report. RuntimeError when it reports a failed request or is not understood."""
    rate = re.search(r"finished in .*?, ([\d.]+) req/s", output)
    counts = re.search(r"requests: .*?(\d+) succeeded, (\d+) failed, (\d+) errored", output)
    mean = re.search(r"time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)", output)
    if not rate or not counts or not mean:
        raise RuntimeError(f"h2load's report is not understood: {output}")
    if int(counts[2]) or int(counts[3]):
        raise RuntimeError(f"requests failed: {output}")
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}[mean[2]]
    return Load(float(rate[1]), int(counts[1]), float(mean[1]) * scale, 0, client_cpu, server_cpu)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
