"""The load programs of loader/ (Go): built once. That on etcd's client is run for each row."""

import functools
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.bench.machine import REPOSITORY

SOURCE = REPOSITORY / "tests" / "bench" / "loader"
BUILD = REPOSITORY / "build" / "loader"
BUILD_SECONDS = 900
SPARE_SECONDS = 900.0  # what a run may take beyond its measured time


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of a client saw.

    Latencies in milliseconds, 0 when not known; CPU in cores that the client and the server used.
    """

    per_second: float
    ops: int
    p50_ms: float
    p99_ms: float
    client_cpu: float
    server_cpu: float


class Server(Protocol):
    """What is loaded."""

    @property
    def address(self) -> str:
        """host:port."""

    @property
    def pid(self) -> int:
        """Its process."""


def loader() -> Path:
    """Return the path of the program that speaks the etcd API."""
    return built("etcd")


@functools.cache
def built(program: str) -> Path:
    """Build one of the programs in loader/, unless it has been, and return its path."""
    files = sorted(path for path in SOURCE.rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    target = BUILD / f"{program}-{digest[:12]}"
    if not target.exists():
        if shutil.which("go") is None:
            raise RuntimeError("the load program needs Go to be built: install golang-go")
        BUILD.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(f".{os.getpid()}")
        subprocess.run(
            ["go", "build", "-trimpath", "-o", str(unfinished), f"./{program}"],
            cwd=SOURCE,
            env={**os.environ, "CGO_ENABLED": "0"},
            timeout=BUILD_SECONDS,
            check=True,
        )
        unfinished.rename(target)
    return target


def run_loader(server: Server, work: str, seconds: float, **flags: Any) -> Load:
    """Put one kind of load on a server; RuntimeError with its words when a request failed."""
    argv = [str(loader()), f"-work={work}", f"-seconds={seconds:g}"]
    argv += [f"-endpoint={server.address}", f"-server-pid={server.pid}"]
    argv += [f"-{name.replace('_', '-')}={value}" for name, value in flags.items()]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=seconds + SPARE_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")
    said = json.loads(done.stdout)
    return Load(
        said["per_second"],
        said["ops"],
        said["p50_ms"],
        said["p99_ms"],
        said["cpu_seconds"] / said["seconds"],
        said["server_cpu_seconds"] / said["seconds"],
    )
