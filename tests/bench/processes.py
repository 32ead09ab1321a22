"""Memory and CPU time of processes, read from /proc."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """One process at rest: resident and proportional memory in MiB, CPU in percent of one core."""

    name: str
    rss_mib: float
    pss_mib: float
    cpu_percent: float


def usage_of_group(group: int, seconds: float) -> list[Usage]:
    """Watch the processes of a process group for `seconds`.

    Those that come or go meanwhile are left out.
    """
    before = {pid: cpu_seconds(pid) for pid in _members(group)}
    began = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    return [
        Usage(_name(pid), *_memory(pid), 100 * (cpu_seconds(pid) - before[pid]) / took)
        for pid in _members(group)
        if pid in before
    ]


def cpu_share(pid: int, seconds: float) -> float:
    """Watch a process for `seconds`; return its CPU time in percent of one core."""
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu_seconds(pid) - before) / (time.monotonic() - began)


def rss_mib(pid: int) -> float:
    """Return the resident memory of a process now."""
    return _status(pid, "VmRSS")


def peak_rss_mib(pid: int) -> float:
    """Return the highest resident memory since its start, or since `forget_peak_rss`."""
    return _status(pid, "VmHWM")


def forget_peak_rss(pid: int) -> None:
    """Let the peak begin at what is resident now."""
    (PROC / str(pid) / "clear_refs").write_text("5")


def _status(pid: int, name: str) -> float:
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def _members(group: int) -> list[int]:
    pids = (int(path.name) for path in PROC.iterdir() if path.name.isdigit())
    return sorted(pid for pid in pids if _group(pid) == group)


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return -1


def cpu_seconds(pid: int) -> float:
    """User and system time.

    The name in parentheses may hold anything, so fields are counted after it.
    """
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _memory(pid: int) -> tuple[float, float]:
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}
    return sizes["Rss"], sizes["Pss"]


def _name(pid: int) -> str:
    """The command line without the interpreter and without paths."""
    words = (PROC / str(pid) / "cmdline").read_bytes().decode().rstrip("\0").split("\0")
    return " ".join(Path(word).name for word in words[:4] if not word.startswith("-"))
