"""PodDisruptionBudgets against a real API server; the first tests are conformance tests' own."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from control_plane.api.errors import TooManyRequests
from control_plane.api.objects import Object, find_condition, name_of, uid_of
from control_plane.api.resources import (
    DEPLOYMENTS,
    JOBS,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    Resource,
)
from control_plane.controllers.pod_state import is_active, is_ready
from tests.control_plane.controllers.stage import NODE, Stage
from tests.control_plane.controllers.workloads import deployment, pod, replicaset, suspended_job

KUBECTL = Path(sys.executable).parent / "kubectl"


def budget(namespace: str, **spec: Any) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b", "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }


async def counted(stage: Stage, namespace: str, wanted: dict[str, int]) -> Object:
    """Wait until the budget's status has these numbers."""
    while True:
        found = await stage.client.get(PODDISRUPTIONBUDGETS, "b", namespace)
        status = found.get("status") or {}
        current = status.get("observedGeneration") == found["metadata"]["generation"]
        if current and all(status.get(field) == number for field, number in wanted.items()):
            return found
        await asyncio.sleep(0.05)


async def make(stage: Stage, resource: Resource, owner: Object, replicas: int) -> None:
    await stage.client.create(resource, owner)
    namespace = owner["metadata"]["namespace"]
    await stage.until(lambda: len(ready(stage, namespace)) == replicas, "ready pods")


def ready(stage: Stage, namespace: str) -> list[Object]:
    return [p for p in stage.list(PODS, namespace) if is_ready(p) and is_active(p)]


async def evict(stage: Stage, victim: Object) -> None:
    metadata = {"name": name_of(victim), "namespace": victim["metadata"]["namespace"]}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    await stage.client.create(PODS, eviction, subresource="eviction", name=name_of(victim))


@pytest.mark.conformance(
    "[sig-apps] DisruptionController should observe PodDisruptionBudget status updated "
    "[Conformance]",
)
async def test_should_observe_pod_disruption_budget_status_updated(stage: Stage) -> None:
    namespace = await stage.namespace("status")
    await stage.client.create(PODDISRUPTIONBUDGETS, budget(namespace, minAvailable=1))
    await counted(stage, namespace, {"disruptionsAllowed": 0, "expectedPods": 0})
    await make(stage, REPLICASETS, replicaset(namespace, 3, name="web"), 3)
    wanted = {"disruptionsAllowed": 2, "currentHealthy": 3, "desiredHealthy": 1, "expectedPods": 3}
    found = await counted(stage, namespace, wanted)
    condition = find_condition(found, "DisruptionAllowed") or {}
    assert (condition["status"], condition["reason"]) == ("True", "SufficientPods")


@pytest.mark.conformance(
    "[sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it "
    "[Conformance]",
)
async def test_should_block_an_eviction_until_the_pdb_is_updated_to_allow_it(
    stage: Stage,
) -> None:
    namespace = await stage.namespace("block")
    await make(stage, REPLICASETS, replicaset(namespace, 3, name="web"), 3)
    await stage.client.create(PODDISRUPTIONBUDGETS, budget(namespace, minAvailable=3))
    await counted(stage, namespace, {"disruptionsAllowed": 0, "expectedPods": 3})
    victim = ready(stage, namespace)[0]
    with pytest.raises(TooManyRequests) as refused:
        await evict(stage, victim)
    (cause,) = refused.value.details["causes"]
    assert cause["message"] == "The disruption budget b needs 3 healthy pods and has 3 currently"

    await _patch(stage, namespace, {"minAvailable": 2}, {"disruptionsAllowed": 1})
    await evict(stage, victim)
    await stage.until(
        lambda: (
            victim["metadata"]["uid"] not in map(uid_of, stage.list(PODS, namespace))
            and len(ready(stage, namespace)) == 3
        ),
        "another pod in the place of the evicted one",
    )
    none_missing = {"maxUnavailable": 0, "minAvailable": None}
    await _patch(stage, namespace, none_missing, {"disruptionsAllowed": 0, "desiredHealthy": 3})
    victim = ready(stage, namespace)[0]
    with pytest.raises(TooManyRequests):
        await evict(stage, victim)
    await stage.client.delete(PODDISRUPTIONBUDGETS, "b", namespace)
    await evict(stage, victim)


async def _patch(stage: Stage, namespace: str, spec: Object, wanted: dict[str, int]) -> None:
    await stage.client.patch(PODDISRUPTIONBUDGETS, "b", {"spec": spec}, namespace)
    found = await counted(stage, namespace, wanted)
    assert "disruptedPods" not in found["status"]


@pytest.mark.parametrize(
    ("resource", "maker"),
    [(REPLICASETS, replicaset), (DEPLOYMENTS, deployment)],
    ids=["replicaset", "deployment"],
)
async def test_shares_are_of_what_the_controller_wants(
    stage: Stage, resource: Resource, maker: Callable[..., Object]
) -> None:
    namespace = await stage.namespace(f"share-{resource.plural}")
    await make(stage, resource, maker(namespace, 3, name="web"), 3)
    await stage.client.create(PODDISRUPTIONBUDGETS, budget(namespace, maxUnavailable="50%"))
    await counted(stage, namespace, {"disruptionsAllowed": 2, "desiredHealthy": 1})
    await stage.client.patch(resource, "web", {"spec": {"replicas": 5}}, namespace)
    await counted(stage, namespace, {"expectedPods": 5, "desiredHealthy": 2, "currentHealthy": 5})


async def test_pods_of_kinds_without_a_scale(stage: Stage) -> None:
    namespace = await stage.namespace("unscaled")
    job = await stage.client.create(JOBS, suspended_job(namespace, "j"))
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "controller": True}
    owned = pod(namespace, "p", {"app": "web"}, ownerReferences=[owner | {"uid": uid_of(job)}])
    await stage.client.create(PODS, owned)
    await stage.client.create(PODDISRUPTIONBUDGETS, budget(namespace, maxUnavailable=1))

    condition: Object = {}
    while condition.get("reason") != "SyncFailed":  # another one until the pod has been seen
        await asyncio.sleep(0.05)
        found = await stage.client.get(PODDISRUPTIONBUDGETS, "b", namespace)
        condition = find_condition(found, "DisruptionAllowed") or {}
    assert condition["status"] == "False"
    assert condition["message"] == "jobs.batch does not implement the scale subresource"


async def test_kubectl_drain_waits_for_the_budget(stage: Stage, tmp_path: Path) -> None:
    namespace = await stage.namespace("drain")
    await make(stage, REPLICASETS, replicaset(namespace, 3, name="drained"), 3)
    before = {uid_of(p) for p in ready(stage, namespace)}
    selector = {"matchLabels": {"app": "drained"}}
    drained = budget(namespace, maxUnavailable=2, selector=selector)
    await stage.client.create(PODDISRUPTIONBUDGETS, drained)
    await counted(stage, namespace, {"disruptionsAllowed": 2})
    least = 3

    async def watch_the_number() -> None:
        nonlocal least
        while True:
            least = min(least, len(ready(stage, namespace)))
            await asyncio.sleep(0.01)

    watcher = asyncio.create_task(watch_the_number())
    process = await asyncio.create_subprocess_exec(
        KUBECTL, f"--kubeconfig={stage.server.kubeconfig}", "drain", NODE, "--force",
        "--pod-selector=app=drained", "--timeout=80s",
        env={**os.environ, "HOME": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    watcher.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watcher
    assert process.returncode == 0, output.decode()
    assert "node/node-1 drained" in output.decode()
    assert output.decode().count(" evicted\n") == 3
    assert least >= 1
    after = {uid_of(p) for p in stage.list(PODS, namespace) if is_active(p)}
    assert not before & after
