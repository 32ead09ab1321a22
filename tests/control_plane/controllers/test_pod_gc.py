"""The pod garbage collector: whom it removes as tables, and one pass against a real API server."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object, dig, find_condition, is_terminating, name_of
from control_plane.api.resources import NODES, PODS
from control_plane.client.events import EventRecorder
from control_plane.client.workqueue import WorkQueue
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.pod_gc import (
    PodGarbageCollector,
    Removal,
    plan_orphaned,
    plan_out_of_service,
    plan_terminated,
    plan_unscheduled,
)
from tests.control_plane.client.hand_clock import HandClock
from tests.control_plane.controllers.stage import Stage, node, running_status, staged
from tests.control_plane.controllers.workloads import pod
from tests.support.running_stores import Store


def ended(name: str, created: str, phase: str = "Succeeded", reason: str = "") -> Object:
    made = pod("ns", name, creationTimestamp=f"2026-01-0{created}T00:00:00Z")
    return made | {"status": {"phase": phase, "reason": reason}}


def placed(name: str, on: str = "", *, deleted: bool = False) -> Object:
    made = pod("ns", name)
    if deleted:
        made["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z"
    made["spec"]["nodeName"] = on
    return made


def names(removals: list[Removal]) -> list[str]:
    return [name_of(removal.pod) for removal in removals]


@pytest.mark.parametrize(
    ("threshold", "removed"),
    [
        (0, []),
        (-1, []),
        (5, []),
        (4, ["evicted"]),
        (3, ["evicted", "oldest"]),
        (1, ["evicted", "oldest", "older", "phaseless"]),
    ],
)
def test_surplus_of_ended_pods(threshold: int, removed: list[str]) -> None:
    pods = [
        ended("young", "5"),
        ended("older", "2", "Failed"),
        ended("evicted", "4", "Failed", "Evicted"),
        ended("oldest", "1"),
        ended("phaseless", "3", ""),
        *(ended(phase, "1", phase) for phase in ("Running", "Pending", "Unknown")),
    ]

    assert names(plan_terminated(pods, threshold)) == removed


def test_pods_of_gone_nodes_are_lost() -> None:
    pods = [placed("a", "gone"), placed("b", "here"), placed("c")]

    assert plan_orphaned(pods, {"gone"}) == [Removal(pods[0], lost=True)]


def test_deleted_pods_without_node_go() -> None:
    pods = [placed("a", deleted=True), placed("b", "n", deleted=True), placed("c")]

    assert names(plan_unscheduled(pods)) == ["a"]


@pytest.mark.parametrize(
    ("ready", "taint", "removed"),
    [
        ("False", "node.kubernetes.io/out-of-service", ["a"]),
        ("Unknown", "node.kubernetes.io/out-of-service", ["a"]),
        ("True", "node.kubernetes.io/out-of-service", []),
        ("False", "node.kubernetes.io/not-ready", []),
    ],
)
def test_deleted_pods_of_nodes_out_of_service_go(
    ready: str, taint: str, removed: list[str]
) -> None:
    found = {
        "metadata": {"name": "n"},
        "spec": {"taints": [{"key": taint, "effect": "NoExecute"}]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }
    pods = [placed("a", "n", deleted=True), placed("b", "n"), placed("c", "x", deleted=True)]

    assert names(plan_out_of_service(pods, {"n": found})) == removed


# --- against a real API server ---


@pytest.fixture
async def stage(controllers_store: Store, tmp_path: Path) -> AsyncIterator[Stage]:
    """Only the controller that pods need to be admitted: the test makes the passes."""
    quiet = ("serviceaccount-controller",)
    async with staged(
        controllers_store.endpoint, tmp_path, kubelet=False, controllers=quiet
    ) as stage:
        yield stage


def cluster_of(stage: Stage, clock: HandClock) -> Cluster:
    events = EventRecorder(stage.client, "pod-garbage-collector", clock=clock)
    return Cluster(stage.client, stage.informers, events, WorkQueue(clock=clock), clock)


async def make(stage: Stage, namespace: str, name: str, on: str = "", **meta: Any) -> None:
    made = pod(namespace, name, **meta)
    if on:
        made["spec"]["nodeName"] = on
    await stage.client.create(PODS, made)
    await stage.until(lambda: stage.get(PODS, f"{namespace}/{name}"), f"pod {name}")


async def exists(stage: Stage, name: str) -> bool:
    try:
        await stage.client.get(PODS, name, "swept")
    except NotFound:
        return False
    return True


async def test_pods_of_a_node_that_is_gone_for_40_seconds_go(stage: Stage) -> None:
    await stage.namespace("swept")
    await stage.client.create(NODES, node("brief"))
    await make(stage, "swept", "stranded", "brief", finalizers=["example.com/hold"])
    status = {"status": running_status("10.2.0.1", ready=True)}
    await stage.client.patch(PODS, "stranded", status, "swept", subresource="status")
    await stage.until(lambda: dig(stage.get(PODS, "swept/stranded") or {}, "status", "podIP"), "IP")
    await make(stage, "swept", "plain", "brief")
    await make(stage, "swept", "pending")
    await stage.until(lambda: stage.get(NODES, "brief"), "the node")
    clock, collector = HandClock(), PodGarbageCollector(threshold=12500)
    cluster = cluster_of(stage, clock)

    await collector.collect(cluster)
    await stage.client.delete(NODES, "brief")
    await stage.until(lambda: stage.get(NODES, "brief") is None, "the node gone")
    clock.advance(60)
    await collector.collect(cluster)
    clock.advance(39)
    await collector.collect(cluster)
    assert await exists(stage, "plain")
    clock.advance(1)
    await collector.collect(cluster)

    assert not await exists(stage, "plain")
    assert await exists(stage, "pending")
    found = await stage.client.get(PODS, "stranded", "swept")
    assert is_terminating(found)
    assert found["status"]["phase"] == "Failed"
    condition = find_condition(found, "DisruptionTarget")
    assert condition is not None
    assert (condition["reason"], condition["message"]) == (
        "DeletionByPodGC",
        "PodGC: node no longer exists",
    )
    ready = find_condition(found, "Ready")
    assert ready is not None, "other conditions stay"


async def test_one_pod_that_cannot_be_removed_does_not_keep_the_others(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.namespace("gc-refused")
    for name in ("again", "first", "second"):
        await make(stage, "gc-refused", name, finalizers=["example.com/hold"])
        await stage.client.delete(PODS, name, "gc-refused")
    stale = stage.informers.informer(PODS)
    await stage.until(
        lambda: all(is_terminating(one) for one in stage.list(PODS, "gc-refused")),
        "all terminating",
    )
    imposter = stale.get("gc-refused/again")
    assert imposter is not None
    imposter["metadata"]["uid"] = "another"
    collector = PodGarbageCollector(threshold=12500)

    await collector.collect(cluster_of(stage, HandClock()))

    assert "pod_not_removed pod=gc-refused/again" in caplog.text
    for name in ("first", "second"):
        found = await stage.client.get(PODS, name, "gc-refused")
        assert found["status"]["phase"] == "Failed"
