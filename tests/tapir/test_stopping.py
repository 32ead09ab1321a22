"""Ctrl-C reaches every process of the terminal at once; the store must be the last to go."""

import os
import signal
from pathlib import Path

from tests.support.cluster import Cluster

IGNORED = "SigIgn"


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def signals(pid: int, which: str) -> set[int]:
    """The numbers of the signals in the mask `which` of /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (mask,) = (int(line.split()[1], 16) for line in lines if line.startswith(f"{which}:"))
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def test_the_datastore_leaves_ctrl_c_to_its_parent(tmp_path: Path) -> None:
    with Cluster(tmp_path / "data", [], runtime="simulated") as cluster:
        (datastore,) = children(cluster.pid)

        assert signal.SIGINT in signals(datastore, IGNORED)
        os.kill(datastore, signal.SIGINT)
        assert cluster.kubectl("get", "--raw", "/readyz") == "ok"
        assert cluster.stop() == 0
        assert not Path(f"/proc/{datastore}").exists()
