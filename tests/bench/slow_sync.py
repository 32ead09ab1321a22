"""A slower disk: each fsync and fdatasync of a server takes some milliseconds longer.

Only the thread that syncs waits. Ours is given a library that is loaded before libc's. etcd makes
its system calls itself, so strace holds it there; it stops etcd at these calls alone, which costs
etcd no measurable time where it does not sync. (It would cost ours some: every one of its many
futex calls passes strace's filter.)
"""

import functools
import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.bench.machine import REPOSITORY

SOURCE = REPOSITORY / "tests" / "bench" / "slow_sync.c"
BUILD = REPOSITORY / "build" / "loader"
CALLS = "fdatasync,fsync"


def traced(milliseconds: float) -> list[str]:
    """Return what to put before the command line of a server that makes its own system calls.

    The process keeps the number that it was started with: strace is its grandchild.
    """
    if not milliseconds:
        return []
    return [
        *(_found("strace"), "--daemonize", "--follow-forks", "--seccomp-bpf", "--quiet=all"),
        *("--signal=none", "--output=/dev/null", f"--trace={CALLS}"),
        f"--inject={CALLS}:delay_enter={milliseconds * 1000:.0f}",
    ]


def preloaded(milliseconds: float) -> Mapping[str, str]:
    """Return the environment of a server that syncs through libc."""
    if not milliseconds:
        return {}
    return {"LD_PRELOAD": str(_library()), "SLOW_SYNC_US": f"{milliseconds * 1000:.0f}"}


@functools.cache
def _library() -> Path:
    """Compile the library, unless it has been."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    target = BUILD / f"slow_sync-{digest}.so"
    if not target.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        argv = [_found("cc"), "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(target)]
        subprocess.run([*argv, str(SOURCE), "-ldl"], check=True)
    return target


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise RuntimeError(f"a sync delay needs {program}: install strace and gcc")
    return path
