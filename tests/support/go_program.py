"""Programs in Go: ours, for what only a client library in Go can show, and published ones.

Built once into build/go, ours under the hash of their sources; the lock lets several test runs
share it.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.servers import missing_server

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build" / "go"
BUILD_SECONDS = 600
PUBLISHED_SECONDS = 1800  # of one core, for programs as large as Helm


def go_program(source: Path) -> Path:
    """Return the built program of a folder with a go.mod.

    Skip (with CI=true: fail) the asking test when there is no Go toolchain, or it cannot build.
    """
    inputs = b"".join(path.read_bytes() for path in sorted(source.glob("*.*")))
    target = BUILD / f"{source.name}-{hashlib.sha256(inputs).hexdigest()[:12]}"
    with _building(target) as unfinished:
        if unfinished:
            _go(["build", "-trimpath", "-o", str(unfinished), "."], source, BUILD_SECONDS)
    return target


def published_program(package: str, version: str) -> Path:
    """Return the built program of a package in a published module; else as `go_program`."""
    name = package.rpartition("/")[2]
    target = BUILD / f"{name}-{version}"
    with _building(target) as unfinished, tempfile.TemporaryDirectory(dir=BUILD) as directory:
        if unfinished:
            install = ["install", "-trimpath", f"{package}@{version}"]
            _go(install, BUILD, PUBLISHED_SECONDS, GOBIN=directory)
            (Path(directory) / name).rename(unfinished)
    return target


@contextlib.contextmanager
def _building(target: Path) -> Iterator[Path | None]:
    """Give a path to build at, which becomes the target, or None when that is there."""
    if shutil.which("go") is None:
        missing_server("no Go toolchain: install Go")
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            yield None
            return
        unfinished = BUILD / f"{target.name}.new"
        yield unfinished
        unfinished.rename(target)


def _go(words: list[str], directory: Path, seconds: float, **environment: str) -> None:
    done = subprocess.run(
        ["go", *words],
        cwd=directory,
        env={**os.environ, "CGO_ENABLED": "0", **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        missing_server(f"go {' '.join(words)} in {directory.name}: {done.stderr}")
