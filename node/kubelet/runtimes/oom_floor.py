"""How low an OOM score this machine lets anybody set.

Lowering oom_score_adj needs CAP_SYS_RESOURCE. Inside some virtual machines and containers that
capability is taken from every process, and then runc fails to start any container that asks for a
negative score. Called by runtimes/docker.py.
"""

from __future__ import annotations

from pathlib import Path

LOWEST_SCORE = -1000
_CAP_SYS_RESOURCE = 24


def oom_score_floor(status: Path = Path("/proc/self/status")) -> int:
    """Return the lowest oom_score_adj that can be asked for: -1000, or 0 without the capability.

    Read from our own bounding set, which an engine on the same machine shares; unreadable means no
    limit.
    """
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return LOWEST_SCORE
    bounding = next((line.split()[1] for line in lines if line.startswith("CapBnd:")), "")
    if bounding and not int(bounding, 16) >> _CAP_SYS_RESOURCE & 1:
        return 0
    return LOWEST_SCORE
