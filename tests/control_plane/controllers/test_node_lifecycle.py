"""Nodes against a real API server: silence, taints, eviction, and pods of nodes that are gone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from control_plane.api.objects import Object, dig, find_condition
from control_plane.api.resources import NODES, PODS
from control_plane.controllers.node_lifecycle.taints import NOT_READY, UNREACHABLE, taints_of
from tests.control_plane.controllers.stage import Stage, node, running_status, staged
from tests.control_plane.controllers.workloads import pod
from tests.support.etcd import Etcd


@pytest.fixture
async def stage(controllers_etcd: Etcd, tmp_path: Path) -> AsyncIterator[Stage]:
    """Controllers that look ten times a second and call a node silent after one second."""
    flags = {"node_monitor_period": 0.1, "node_monitor_grace_period": 1.0}
    async with staged(
        controllers_etcd.endpoint, tmp_path, kubelet=False, **flags, node_eviction_rate=100.0
    ) as stage:
        yield stage


def taints(stage: Stage, name: str) -> set[tuple[str, str]]:
    found = stage.get(NODES, name) or {}
    return {(taint["key"], taint["effect"]) for taint in taints_of(found)}


def ready_condition(stage: Stage, name: str) -> Object:
    return find_condition(stage.get(NODES, name) or {}, "Ready") or {}


async def report_ready(stage: Stage, name: str, heartbeat: str) -> None:
    condition = {"type": "Ready", "status": "True", "lastHeartbeatTime": heartbeat}
    patch = {"status": {"conditions": [condition | {"reason": "KubeletReady"}]}}
    await stage.client.patch(NODES, name, patch, subresource="status", kind="strategic")


def pod_on(namespace: str, name: str, node_name: str, tolerated: int | None) -> Object:
    made = pod(namespace, name)
    made["spec"]["nodeName"] = node_name
    if tolerated is not None:
        made["spec"]["tolerations"] = [
            {
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": tolerated,
            }
            for key in (NOT_READY, UNREACHABLE)
        ]
    return made


async def test_silent_node_is_unknown_tainted_and_emptied(stage: Stage) -> None:
    await stage.namespace("silent")
    await stage.client.create(NODES, node("silent-node") | {"status": {}})
    await stage.client.patch(
        NODES,
        "silent-node",
        {"status": node("silent-node")["status"]},
        subresource="status",
        kind="strategic",
    )
    for name, seconds in (("leaves", 0), ("stays", 3600)):
        made = pod_on("silent", name, "silent-node", seconds)
        await stage.client.create(PODS, made)
        status = {"status": running_status("10.1.1.1", ready=True)}
        await stage.client.patch(PODS, name, status, "silent", subresource="status")
    # One ready node, or every zone would be lost and nothing evicted.
    await stage.client.create(NODES, node("witness", ready=True))

    async def keep_witness_alive() -> None:
        await report_ready(stage, "witness", "2026-01-02T03:04:05Z")

    await keep_witness_alive()
    await stage.until(
        lambda: ready_condition(stage, "silent-node").get("status") == "Unknown", "Unknown"
    )
    await report_ready(stage, "witness", "2026-01-02T03:04:06Z")
    both = {(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")}
    await stage.until(lambda: both <= taints(stage, "silent-node"), "both taints")

    await stage.until(
        lambda: dig(stage.get(PODS, "silent/leaves") or {}, "metadata", "deletionTimestamp"),
        "the pod deleted",
    )
    leaving, staying = stage.get(PODS, "silent/leaves"), stage.get(PODS, "silent/stays")
    assert leaving is not None
    disrupted = find_condition(leaving, "DisruptionTarget")
    assert disrupted is not None
    assert disrupted["reason"] == "DeletionByTaintManager"
    assert staying is not None
    assert "deletionTimestamp" not in staying["metadata"]
    ready = find_condition(staying, "Ready")
    assert ready is not None
    assert ready["status"] == "False"
    condition = ready_condition(stage, "silent-node")
    assert condition["reason"] == "NodeStatusUnknown"
    assert condition["message"] == "Kubelet stopped posting node status."

    await report_ready(stage, "silent-node", "2026-01-02T03:05:05Z")
    await stage.until(lambda: not taints(stage, "silent-node") & both, "the taints gone")


async def test_cordoned_node_is_tainted_and_uncordoned_node_is_not(stage: Stage) -> None:
    await stage.client.create(NODES, node("cordoned"))
    wanted = ("node.kubernetes.io/unschedulable", "NoSchedule")

    await stage.client.patch(NODES, "cordoned", {"spec": {"unschedulable": True}})
    await stage.until(lambda: wanted in taints(stage, "cordoned"), "the taint")
    await stage.client.patch(NODES, "cordoned", {"spec": {"unschedulable": None}})
    await stage.until(lambda: wanted not in taints(stage, "cordoned"), "no taint")


async def test_pod_that_does_not_tolerate_a_taint_of_the_user_goes(stage: Stage) -> None:
    await stage.namespace("evicted")
    await stage.client.create(NODES, node("tainted"))
    await stage.client.create(PODS, pod_on("evicted", "p", "tainted", None))
    await stage.until(lambda: stage.get(PODS, "evicted/p"), "the pod")

    taint = {"key": "mine", "value": "x", "effect": "NoExecute"}
    await stage.client.patch(NODES, "tainted", {"spec": {"taints": [taint]}}, kind="strategic")

    def leaving() -> bool:
        found = stage.get(PODS, "evicted/p")
        return found is None or bool(dig(found, "metadata", "deletionTimestamp"))

    await stage.until(leaving, "the pod deleted")
