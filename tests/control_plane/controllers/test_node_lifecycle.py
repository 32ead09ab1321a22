"""Nodes against a real API server: silence, taints, eviction, and pods of nodes that are gone."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from control_plane.api.objects import Object, dig, find_condition
from control_plane.api.resources import NODES, PODS
from control_plane.api.timestamps import format_time
from control_plane.controllers.node_lifecycle.taints import NOT_READY, UNREACHABLE, taints_of
from tests.control_plane.client.hand_clock import START
from tests.control_plane.controllers.stage import Stage, node, running_status, staged
from tests.control_plane.controllers.workloads import pod
from tests.support.running_stores import Store


@pytest.fixture
async def stage(controllers_store: Store, tmp_path: Path) -> AsyncIterator[Stage]:
    """Controllers that look ten times a second and call a node silent after one second."""
    flags = {
        "node_monitor_period": 0.1,
        "node_monitor_grace_period": 1.0,
        "unhealthy_zone_threshold": 1.0,  # silent nodes of other tests do not stop the eviction
    }
    async with staged(
        controllers_store.endpoint, tmp_path, kubelet=False, **flags, node_eviction_rate=100.0
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


@asynccontextmanager
async def beating(stage: Stage, name: str) -> AsyncIterator[None]:
    """Have the node report all the time; how often does not matter to the test."""

    async def beat() -> None:
        for number in itertools.count():
            heartbeat = format_time(START + timedelta(seconds=number))
            await report_ready(stage, name, heartbeat)
            await asyncio.sleep(0.1)

    heart = asyncio.create_task(beat())
    try:
        yield
    finally:
        heart.cancel()
        await asyncio.gather(heart, return_exceptions=True)


async def make_pods(stage: Stage, namespace: str, node_name: str) -> None:
    """Make ready pods "leaves" and "stays" of a node that need not exist yet."""
    for name, seconds in (("leaves", 0), ("stays", 3600)):
        made = pod_on(namespace, name, node_name, seconds)
        await stage.client.create(PODS, made)
        status = {"status": running_status("10.1.1.1", ready=True)}
        await stage.client.patch(PODS, name, status, namespace, subresource="status")


async def make_node(stage: Stage, name: str) -> None:
    """Make a node that reports as ready once."""
    await stage.client.create(NODES, node(name))
    status = {"status": node(name)["status"]}
    await stage.client.patch(NODES, name, status, subresource="status", kind="strategic")


async def test_silent_node_is_unknown_tainted_and_emptied(stage: Stage) -> None:
    await stage.namespace("silent")
    await make_pods(stage, "silent", "silent-node")
    # One ready node, or every zone would be lost and nothing evicted.
    await make_node(stage, "witness")
    both = {(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")}

    async with beating(stage, "witness"):
        await make_node(stage, "silent-node")
        await stage.until(
            lambda: ready_condition(stage, "silent-node").get("status") == "Unknown", "Unknown"
        )
        condition = ready_condition(stage, "silent-node")
        assert condition["reason"] == "NodeStatusUnknown"
        assert condition["message"] == "Kubelet stopped posting node status."
        await stage.until(lambda: both <= taints(stage, "silent-node"), "both taints")
        await stage.until(
            lambda: dig(stage.get(PODS, "silent/leaves") or {}, "metadata", "deletionTimestamp"),
            "the pod deleted",
        )
        leaving = stage.get(PODS, "silent/leaves") or {}
        disrupted = find_condition(leaving, "DisruptionTarget") or {}
        assert disrupted["reason"] == "DeletionByTaintManager"

        def staying() -> Object:
            return find_condition(stage.get(PODS, "silent/stays") or {}, "Ready") or {}

        await stage.until(lambda: staying().get("status") == "False", "the other pod not ready")
        assert "deletionTimestamp" not in (stage.get(PODS, "silent/stays") or {})["metadata"]

        async with beating(stage, "silent-node"):
            await stage.until(lambda: not taints(stage, "silent-node") & both, "no taints")


async def test_node_that_never_reported_has_its_startup_time(stage: Stage) -> None:
    await make_node(stage, "reporting")
    async with beating(stage, "reporting"):
        await stage.client.create(NODES, node("starting") | {"status": {}})
        # Created later, silent and tainted earlier than the starting one may be.
        await make_node(stage, "silenced")
        await stage.until(
            lambda: (UNREACHABLE, "NoExecute") in taints(stage, "silenced"), "the taint"
        )

    assert not ready_condition(stage, "starting")
    assert (UNREACHABLE, "NoExecute") not in taints(stage, "starting")


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
