"""The servers that are measured beside each other: a real etcd, and ours with each gRPC front.

Each is a process of its own on a free port with its data in a directory on a real disk, and makes
every write durable: etcd with its fsync, SQLite with synchronous=FULL. With a sync delay each
fdatasync and fsync of a server takes that much longer: strace, which stops a process at these
system calls alone, holds the thread that makes one. It delays both kinds of server the same way.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import REPOSITORY
from tests.support.etcd import etcd_binary
from tests.support.ports import free_port
from tests.support.server_process import ServerProcess

ETCD = "etcd"
FRONTS = ("native", "grpcio")
DATA = REPOSITORY / "build" / "bench" / "data"
QUOTA = 32 << 30  # the stores of the growth rows are larger than the default
SYNC_CALLS = "fdatasync,fsync"


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that is measured: its column, what it is, and its process."""

    name: str
    what: str
    process: ServerProcess
    directory: Path

    @property
    def address(self) -> str:
        """host:port."""
        return self.process.address

    @property
    def pid(self) -> int:
        """The server's process, also under strace."""
        return self.process.pid

    @property
    def is_etcd(self) -> bool:
        """Whether it is the one that ratios are against."""
        return self.name == ETCD


@contextmanager
def contenders(names: Sequence[str], sync_delay_ms: float = 0) -> Iterator[list[Contender]]:
    """Start the named servers, empty; end them and remove their data afterwards."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(data_directory()))
        started = []
        for name in names:
            contender = start(name, directory / name, sync_delay_ms)
            stack.callback(contender.process.kill)
            started.append(contender)
        yield started


@contextmanager
def data_directory() -> Iterator[str]:
    """Make a directory for servers' data, which goes away."""
    DATA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DATA) as directory:
        yield directory


def start(name: str, directory: Path, sync_delay_ms: float = 0) -> Contender:
    """Start a server on the data in a directory, if there are any, and return when it answers."""
    directory.mkdir(exist_ok=True)
    port = free_port()
    argv = _etcd(directory, port) if name == ETCD else _ours(name, directory, port)
    process = ServerProcess(
        [*_slow_sync(sync_delay_ms), *argv],
        port,
        directory / "log",
        {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
    )
    process.wait()
    return Contender(name, _what(name), process, directory)


def _what(name: str) -> str:
    if name == ETCD:
        return f"{etcd_binary()}, its fsync on"
    return f"ours on a SQLite file with synchronous=FULL, `--grpc-front {name}`"


def _etcd(directory: Path, port: int) -> list[str]:
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    return [
        str(etcd_binary().path),
        f"--data-dir={directory / 'data'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        f"--quota-backend-bytes={QUOTA}",
        "--log-level=error",
    ]


def _ours(front: str, directory: Path, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "datastore"),
        f"--endpoint=sqlite:///{directory / 'store.db'}",
        f"--listen-client-urls=http://127.0.0.1:{port}",
        f"--grpc-front={front}",
        f"--quota-backend-bytes={QUOTA}",
        "--log-level=warn",
    ]


def _slow_sync(milliseconds: float) -> list[str]:
    if not milliseconds:
        return []
    strace = shutil.which("strace")
    if strace is None:
        raise RuntimeError("a sync delay needs strace (Debian package strace)")
    return [
        *(strace, "--daemonize", "--follow-forks", "--seccomp-bpf", "--quiet=all"),
        *("--signal=none", "--output=/dev/null", f"--trace={SYNC_CALLS}"),
        f"--inject={SYNC_CALLS}:delay_enter={milliseconds * 1000:.0f}",
    ]


def file_system() -> str:
    """Return the kind and mount point of the file system that the data are on."""
    DATA.mkdir(parents=True, exist_ok=True)
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    covering = [m for m in mounts if DATA.is_relative_to(m[1])]
    device, point, kind, *_ = max(covering, key=lambda mount: len(mount[1]))
    return f"{kind} on {device}, mounted at {point}"
