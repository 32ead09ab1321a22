"""What the figures were measured on."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = REPOSITORY / "build" / "bench" / "data"  # of the servers that are measured


def describe() -> list[str]:
    """Return lines about machine, interpreter and code, for the head of the report."""
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}",
        f"{os.cpu_count()} cores of {_processor()}, {_memory_gib():.0f} GiB, {platform.system()} "
        f"{platform.release()}",
        f"Python {platform.python_version()}",
        f"data on {_file_system()}",
        f"load average {os.getloadavg()[0]:.1f} at the start",
    ]


def _commit() -> str:
    argv = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) / 1024**3


def _file_system() -> str:
    """Return the kind and device of the file system that the servers' data are on."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    covering = [mount for mount in mounts if DATA.is_relative_to(mount[1])]
    device, _point, kind, *_ = max(covering, key=lambda mount: len(mount[1]))
    return f"{kind} on {device}"
