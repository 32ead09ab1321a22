"""What a person waits for: a cluster to be ready, a container to run.

And what it costs while nothing happens.
"""

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.processes import Usage, usage_of_group
from tests.support.cluster import Cluster
from tests.support.etcd import Etcd
from tests.support.images import busybox_image
from tests.support.postgres import Postgres

STARTS = 3
CONTAINERS = 5
SETTLE_SECONDS = 10.0
IDLE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ClusterResult:
    """Seconds, medians: first start and restart to Ready, kubectl create to container and to
    Running seen.
    """

    store: str
    first_ready: float
    again_ready: float
    container_started: float
    running_seen: float
    idle: list[Usage]


@contextmanager
def _sqlite() -> Iterator[list[str]]:
    yield []


@contextmanager
def _postgres() -> Iterator[list[str]]:
    with Postgres() as server:
        yield [f"--datastore={server.url('cluster')}"]


@contextmanager
def _etcd() -> Iterator[list[str]]:
    with Etcd(["--unsafe-no-fsync=false"]) as server:
        yield [f"--etcd-servers={server.endpoint}"]


STORES: Mapping[str, Callable[[], AbstractContextManager[list[str]]]] = {
    "SQLite": _sqlite,
    "PostgreSQL": _postgres,
    "etcd": _etcd,
}


def measure(store: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Start clusters on a store and use the last one; return the fields of ClusterResult."""
    firsts, agains = [], []
    for number in range(STARTS):
        say(f"cluster on {store}, start {number + 1} of {STARTS}")
        with _running(store) as (cluster, seconds):
            firsts.append(seconds)
            cluster.stop()
            agains.append(_timed(cluster.start))
            if number < STARTS - 1:
                continue
            say(f"cluster on {store}, {CONTAINERS} containers")
            created = [_create_pod(cluster, f"bench-{n}") for n in range(CONTAINERS)]
            say(f"cluster on {store}, at rest for {IDLE_SECONDS:.0f} s")
            time.sleep(SETTLE_SECONDS)
            idle = usage_of_group(cluster.pid, IDLE_SECONDS)
    result = ClusterResult(
        store,
        median(firsts),
        median(agains),
        median(started for started, _ in created),
        median(seen for _, seen in created),
        idle,
    )
    return asdict(result)


@contextmanager
def _running(store: str) -> Iterator[tuple[Cluster, float]]:
    with tempfile.TemporaryDirectory(prefix="tapir-bench-") as directory, STORES[store]() as flags:
        cluster = Cluster(Path(directory) / "data", flags)
        seconds = _timed(cluster.start)
        try:
            yield cluster, seconds
        finally:
            cluster.stop()


def _timed(action: Callable[[], None]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def _create_pod(cluster: Cluster, name: str) -> tuple[float, float]:
    """Return seconds from `kubectl create` until the engine started the container, and until
    kubectl sees it.
    """
    container = {"name": "main", "image": busybox_image(), "command": ["sleep", "3600"]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }
    began = time.time()
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(pod))
    cluster.kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")
    seen = time.time() - began
    (status,) = cluster.get("pod", name)["status"]["containerStatuses"]
    started = _started_at(status["containerID"].rpartition("/")[2]) - began
    cluster.kubectl("delete", "pod", name, "--wait=true", "--timeout=60s")
    return started, seen


def _started_at(container_id: str) -> float:
    """Ask the engine when it started a container; its clock is this machine's."""
    argv = ["docker", "inspect", "--format", "{{.State.StartedAt}}", container_id]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    found = re.fullmatch(r"(.*?)(\.\d+)?Z", said)
    if found is None:
        raise RuntimeError(f"the engine says {said!r} for the start of {container_id}")
    whole = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
    return whole + float(found[2] or 0)
