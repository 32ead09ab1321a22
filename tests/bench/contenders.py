"""The servers that are measured beside each other: a real etcd, and ours with each gRPC front.

Each is a process of its own on a free port with its data in a directory on a real disk, and makes
every write durable: etcd with its fsync, SQLite with synchronous=FULL. slow_sync.py makes the disk
slower for either.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import DATA, REPOSITORY
from tests.bench.slow_sync import preloaded, traced
from tests.support.etcd import etcd_binary
from tests.support.ports import free_port
from tests.support.server_process import ServerProcess

ETCD = "etcd"
FRONTS = ("native", "grpcio")
_NOTHING: Mapping[str, str] = {}
QUOTA = 32 << 30  # the stores of the growth rows are larger than the default


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that is measured: its column and its process."""

    name: str
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
    port = free_port()
    if name == ETCD:
        return _running(name, directory, [*traced(sync_delay_ms), *_etcd(directory, port)], port)
    argv = _ours(name, f"sqlite:///{directory / 'store.db'}", port)
    return _running(name, directory, argv, port, preloaded(sync_delay_ms))


def start_on(name: str, database: str, directory: Path) -> Contender:
    """Start ours with the native front on the database of a URL, as a member of that name."""
    port = free_port()
    argv = [*_ours(FRONTS[0], database, port), f"--name={name}"]
    return _running(name, directory, argv, port)


def _running(
    name: str, directory: Path, argv: Sequence[str], port: int, more: Mapping[str, str] = _NOTHING
) -> Contender:
    directory.mkdir(exist_ok=True)
    path = f"{REPOSITORY}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    process = ServerProcess(argv, port, directory / "log", {"PYTHONPATH": path, **more})
    process.wait()
    return Contender(name, process, directory)


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


def _ours(front: str, database: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "datastore"),
        f"--endpoint={database}",
        f"--listen-client-urls=http://127.0.0.1:{port}",
        f"--grpc-front={front}",
        f"--quota-backend-bytes={QUOTA}",
        "--log-level=warn",
    ]
