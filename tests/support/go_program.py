"""Programs of ours in Go, for what only etcd's own client library can show.

Built once into build/go, under the hash of their sources; the lock lets several test runs share it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.servers import missing_server

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build" / "go"
BUILD_SECONDS = 600


def go_program(source: Path) -> Path:
    """Return the built program of a folder with a go.mod.

    Skip (with CI=true: fail) the asking test when there is no Go toolchain, or it cannot build.
    """
    if shutil.which("go") is None:
        missing_server("no Go toolchain: install Go")
    inputs = b"".join(path.read_bytes() for path in sorted(source.glob("*.*")))
    target = BUILD / f"{source.name}-{hashlib.sha256(inputs).hexdigest()[:12]}"
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _build(source, target)
    return target


def _build(source: Path, target: Path) -> None:
    unfinished = target.with_suffix(".new")
    done = subprocess.run(
        ["go", "build", "-trimpath", "-o", str(unfinished), "."],
        cwd=source,
        env={**os.environ, "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if done.returncode:
        missing_server(f"go build in {source.name}: {done.stderr}")
    unfinished.rename(target)
