"""The node in the API: what it says of itself, that it stays alive, and that it comes back."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from control_plane.api.resources import LEASES, NODES
from node.kubelet.machine.facts import MachineFacts, allocatable, capacity, memory_total
from node.kubelet.machine.node_object import node_conditions, node_images
from node.kubelet.runtimes.base import ImageRecord
from tests.node.builders import container, pod
from tests.node.stage import Stage, is_running
from tests.support.apiserver import NODE

MI = 1024**2
FACTS = MachineFacts(4, 8192 * MI, 100_000 * MI, ("192.0.2.1",), {"architecture": "amd64"})


def test_sizes() -> None:
    assert capacity(FACTS, 110) == {
        "cpu": "4",
        "memory": "8388608Ki",
        "ephemeral-storage": "102400000Ki",
        "pods": "110",
    }
    assert allocatable(FACTS, 110)["memory"] == f"{(8192 - 100) * 1024}Ki"
    assert allocatable(FACTS, 110)["ephemeral-storage"] == str(90_000 * MI)
    assert memory_total("MemTotal:       16 kB\nMemFree: 3 kB\n") == 16384
    assert memory_total("") == 0


def test_conditions_keep_their_times() -> None:
    first = node_conditions([], "", "t1")
    assert [(c["type"], c["status"]) for c in first] == [
        ("MemoryPressure", "False"),
        ("DiskPressure", "False"),
        ("PIDPressure", "False"),
        ("Ready", "True"),
    ]
    second = node_conditions(first, "container runtime is down: gone", "t2")
    times = {c["type"]: (c["lastTransitionTime"], c["lastHeartbeatTime"]) for c in second}
    assert times["DiskPressure"] == ("t1", "t2")
    assert times["Ready"] == ("t2", "t2")
    assert second[-1]["reason"] == "KubeletNotReady"
    assert second[-1]["message"] == "container runtime is down: gone"


def test_images_are_the_largest_fifty() -> None:
    images = [ImageRecord(str(n), [f"i:{n}"], size_bytes=n) for n in range(60)]
    listed = node_images([*images, ImageRecord("dangling", size_bytes=999)])
    assert len(listed) == 50
    assert listed[0] == {"names": ["i:59"], "sizeBytes": 59}


@pytest.fixture
def runtime_name() -> str:
    return "simulated"


async def test_a_ready_node(stage: Stage) -> None:
    node = await stage.node()
    labels, status = node["metadata"]["labels"], node["status"]
    assert labels["kubernetes.io/hostname"] == NODE
    assert labels["kubernetes.io/os"] == "linux"
    ready = next(c for c in status["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "KubeletReady")
    assert {"type": "InternalIP", "address": "127.0.0.1"} in status["addresses"]
    assert {"type": "Hostname", "address": NODE} in status["addresses"]
    assert status["daemonEndpoints"]["kubeletEndpoint"]["Port"] == stage.config.port
    assert status["nodeInfo"]["kubeletVersion"].startswith("v1.35.")
    assert set(status["capacity"]) == {"cpu", "memory", "ephemeral-storage", "pods"}


async def test_a_simulated_node_says_so(stage: Stage) -> None:
    node = await stage.node()
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"] == "simulated://1.0"
    assert node["metadata"]["annotations"]["tapir.dev/container-runtime"] == "simulated"


async def test_the_lease_is_renewed(cluster: Stage) -> None:
    cluster.config = replace(cluster.config, lease_seconds=1)

    async def lease() -> dict[str, Any]:
        return await cluster.client.get(LEASES, NODE, "kube-node-lease")

    async with cluster:
        node = await cluster.node()
        first = await lease()
        assert first["spec"]["holderIdentity"] == NODE
        assert first["metadata"]["ownerReferences"][0]["uid"] == node["metadata"]["uid"]
        while (again := (await lease())["spec"]["renewTime"]) == first["spec"]["renewTime"]:
            await cluster.breathe()
        assert datetime.fromisoformat(again) > datetime.fromisoformat(first["spec"]["renewTime"])


async def test_a_node_that_somebody_deleted_comes_back(cluster: Stage) -> None:
    cluster.config = replace(cluster.config, status_update_seconds=0.2, status_report_seconds=0)
    async with cluster:
        uid = (await cluster.node())["metadata"]["uid"]
        await cluster.client.delete(NODES, NODE)
        while True:
            nodes = (await cluster.client.list(NODES))["items"]
            if [n for n in nodes if n["metadata"]["uid"] != uid and "status" in n]:
                return
            await cluster.breathe()


async def test_labels_come_back_with_the_kubelet(stage: Stage) -> None:
    await stage.stop()
    patch = {"metadata": {"labels": {"kubernetes.io/os": None, "mine": "kept"}}}
    await stage.client.patch(NODES, NODE, patch)
    await stage.start()
    labels = (await stage.node())["metadata"]["labels"]
    assert (labels["kubernetes.io/os"], labels["mine"]) == ("linux", "kept")


async def test_a_simulated_pod_runs(stage: Stage) -> None:
    probe = {"httpGet": {"path": "/", "port": 1}}
    await stage.create(pod(container(readinessProbe=probe)))
    seen = await stage.until(is_running)
    assert seen["status"]["podIP"].startswith("10.88.")
    assert seen["status"]["containerStatuses"][0]["containerID"].startswith("simulated://")
