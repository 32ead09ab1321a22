"""kill -9 of a whole cluster while pods start and stop: the next start leaves nothing over."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.kubelet.volumes.mounts import mounts_below, unmount_below
from tests.support.cluster import Cluster
from tests.support.images import busybox_image
from tests.support.wait import wait_until

pytestmark = pytest.mark.docker
PODS = 4
SCRIPT = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"


@pytest.fixture
def cluster(docker_engine: None, tmp_path: Path) -> Iterator[Cluster]:
    busybox_image()
    running = Cluster(tmp_path / "data", [])
    with running:
        yield running
    if ids := list(containers(running)):
        subprocess.run(["docker", "rm", "-f", *ids], capture_output=True, check=True)
    unmount_below(tmp_path)


def pod(name: str) -> dict[str, Any]:
    """A pod with an init container and, where mounting is allowed, a volume in memory."""
    volume = {"medium": "Memory", "sizeLimit": "1Mi"} if os.geteuid() == 0 else {}
    mounts = [{"name": "v", "mountPath": "/v"}]
    image = busybox_image()
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "terminationGracePeriodSeconds": 5,
            "initContainers": [{"name": "first", "image": image, "command": ["true"]}],
            "containers": [
                {
                    "name": "main",
                    "image": image,
                    "command": ["sh", "-c", SCRIPT],
                    "volumeMounts": mounts,
                }
            ],
            "volumes": [{"name": "v", "emptyDir": volume}],
        },
    }


def containers(cluster: Cluster) -> dict[str, tuple[str, str, str]]:
    """(pod uid, name, state) of all that the cluster's node has in the engine, by id."""
    owner = f"label=dev.tapir.kubelet.root-dir={cluster.data_dir / 'kubelet'}"
    listed = subprocess.run(
        ["docker", "ps", "-a", "--no-trunc", "--filter", owner, "--format", "{{json .}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = [json.loads(line) for line in listed.stdout.splitlines()]
    return {entry["ID"]: (*_identity(entry["Labels"]), entry["State"]) for entry in found}


def _identity(text: str) -> tuple[str, str]:
    labels = dict(pair.partition("=")[::2] for pair in text.split(","))
    return labels["io.kubernetes.pod.uid"], labels["io.kubernetes.container.name"]


def test_nothing_is_left_over_and_pods_converge(cluster: Cluster) -> None:
    old = [f"old-{number}" for number in range(PODS)]
    new = [f"new-{number}" for number in range(PODS)]
    cluster.apply(*map(pod, old))
    for name in old:
        cluster.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=120s")

    cluster.kubectl("delete", "pod", *old, "--wait=false")
    cluster.apply(*map(pod, new))
    seen = set(containers(cluster))
    wait_until(lambda: set(containers(cluster)) != seen, "the engine is at work")
    cluster.kill()
    cluster.start()

    for name in old:
        cluster.kubectl("wait", "--for=delete", f"pod/{name}", "--timeout=120s")
    for name in new:
        cluster.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=120s")
    uids = {item["metadata"]["uid"] for item in cluster.get("pods")["items"]}
    assert len(uids) == PODS
    node = cluster.data_dir / "kubelet" / "pods"
    wait_until(lambda: set(os.listdir(node)) == uids, "only their directories are left")
    expected = [(uid, name) for uid in uids for name in ("POD", "main")]
    wait_until(lambda: running(cluster) == sorted(expected), "only their containers run")
    assert {uid for uid, _, _ in containers(cluster).values()} == uids
    assert len(mounts_below(node)) == (PODS if os.geteuid() == 0 else 0)


def running(cluster: Cluster) -> list[tuple[str, str]]:
    found = containers(cluster).values()
    return sorted((uid, name) for uid, name, state in found if state == "running")
