"""Deployments against a real API server: rollout, undo, scale, pause, Recreate, clean-up."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from control_plane.api.objects import Object, annotations_of, dig, find_condition, name_of
from control_plane.api.resources import DEPLOYMENTS, PODS, REPLICASETS
from control_plane.controllers.deployment.revisions import REVISION
from tests.control_plane.controllers.stage import BROKEN, Stage
from tests.control_plane.controllers.workloads import deployment

KUBECTL = Path(sys.executable).parent / "kubectl"


async def kubectl(stage: Stage, namespace: str, *words: str) -> str:
    command = [str(KUBECTL), f"--kubeconfig={stage.server.kubeconfig}", "-n", namespace, *words]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_rolled_out(stage: Stage, namespace: str, replicas: int, image: str = "app:1") -> bool:
    found = stage.get(DEPLOYMENTS, f"{namespace}/web")
    if found is None or template_image(found) != image:
        return False
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    settled = all(dig(found, "status", count, default=0) == replicas for count in counts)
    observed = dig(found, "status", "observedGeneration") == dig(found, "metadata", "generation")
    pods = stage.list(PODS, namespace)
    return settled and observed and len(pods) == replicas


def template_image(obj: Object) -> Any:
    return dig(obj, "spec", "template", "spec", "containers", 0, "image")


async def create_and_wait(stage: Stage, namespace: str, **spec: Any) -> None:
    await stage.namespace(namespace)
    await stage.client.create(DEPLOYMENTS, deployment(namespace, **spec))
    await stage.until(lambda: is_rolled_out(stage, namespace, 3), "the first rollout")


async def set_image(stage: Stage, namespace: str, image: str) -> None:
    template = {"spec": {"containers": [{"name": "app", "image": image}]}}
    patch = {"spec": {"template": template}}
    await stage.client.patch(DEPLOYMENTS, "web", patch, namespace, kind="strategic")


async def test_rollout_undo_and_history(stage: Stage) -> None:
    await create_and_wait(stage, "rollout")
    first = name_of(stage.list(REPLICASETS, "rollout")[0])

    await set_image(stage, "rollout", "app:2")
    await stage.until(lambda: is_rolled_out(stage, "rollout", 3, "app:2"), "the second rollout")
    status = await kubectl(stage, "rollout", "rollout", "status", "deployment/web")
    assert 'deployment "web" successfully rolled out' in status

    await kubectl(stage, "rollout", "rollout", "undo", "deployment/web")
    await stage.until(lambda: is_rolled_out(stage, "rollout", 3), "the way back")
    assert (await kubectl(stage, "rollout", "rollout", "history", "deployment/web")).split() == [
        "deployment.apps/web", "REVISION", "CHANGE-CAUSE", "2", "<none>", "3", "<none>",
    ]  # fmt: skip
    found = stage.get(REPLICASETS, f"rollout/{first}")
    assert found is not None
    assert annotations_of(found)[REVISION] == "3"
    assert annotations_of(found)["deployment.kubernetes.io/revision-history"] == "1"


async def test_complete_deployment_says_so_in_its_conditions(stage: Stage) -> None:
    await create_and_wait(stage, "conditions")

    def complete() -> bool:
        found = stage.get(DEPLOYMENTS, "conditions/web") or {}
        progressing = find_condition(found, "Progressing") or {}
        return progressing.get("reason") == "NewReplicaSetAvailable"

    await stage.until(complete, "the condition of a complete rollout")
    found = stage.get(DEPLOYMENTS, "conditions/web")
    assert found is not None
    available = find_condition(found, "Available")
    assert available is not None
    assert available["reason"] == "MinimumReplicasAvailable"
    assert annotations_of(found)[REVISION] == "1"


async def test_scale_up_and_down(stage: Stage) -> None:
    await create_and_wait(stage, "scale")

    await kubectl(stage, "scale", "scale", "deployment/web", "--replicas=5")
    await stage.until(lambda: is_rolled_out(stage, "scale", 5), "five pods")
    await kubectl(stage, "scale", "scale", "deployment/web", "--replicas=1")
    await stage.until(lambda: is_rolled_out(stage, "scale", 1), "one pod")

    assert len(stage.list(REPLICASETS, "scale")) == 1


async def test_deleted_pods_are_replaced(stage: Stage) -> None:
    await create_and_wait(stage, "replaced")
    before = {name_of(pod) for pod in stage.list(PODS, "replaced")}

    await stage.client.delete_collection(PODS, "replaced")

    def replaced() -> bool:
        names = {name_of(pod) for pod in stage.list(PODS, "replaced")}
        return not names & before and is_rolled_out(stage, "replaced", 3)

    await stage.until(replaced, "three new pods")


async def test_rollout_that_does_not_become_ready_keeps_the_old_pods(stage: Stage) -> None:
    await create_and_wait(stage, "stuck")

    await set_image(stage, "stuck", BROKEN)

    def stuck() -> bool:
        found = stage.get(DEPLOYMENTS, "stuck/web") or {}
        return bool(
            dig(found, "status", "updatedReplicas") == 1
            and dig(found, "status", "availableReplicas") == 3
            and dig(found, "status", "unavailableReplicas") == 1
        )

    await stage.until(stuck, "one broken pod beside three old ones")


async def test_paused_deployment_scales_but_does_not_roll(stage: Stage) -> None:
    await create_and_wait(stage, "paused")
    await kubectl(stage, "paused", "rollout", "pause", "deployment/web")
    await set_image(stage, "paused", "app:2")
    await kubectl(stage, "paused", "scale", "deployment/web", "--replicas=4")

    def scaled() -> bool:
        found = stage.get(DEPLOYMENTS, "paused/web") or {}
        reason = (find_condition(found, "Progressing") or {}).get("reason")
        return dig(found, "status", "replicas") == 4 and reason == "DeploymentPaused"

    await stage.until(scaled, "a paused deployment of four")
    assert len(stage.list(REPLICASETS, "paused")) == 1

    await kubectl(stage, "paused", "rollout", "resume", "deployment/web")
    await stage.until(lambda: is_rolled_out(stage, "paused", 4, "app:2"), "the resumed rollout")


async def test_recreate_never_runs_both_versions(stage: Stage) -> None:
    await create_and_wait(stage, "recreate", strategy={"type": "Recreate"})
    mixed = []

    def watch_pods(*_: object) -> None:
        images = {dig(p, "spec", "containers", 0, "image") for p in stage.list(PODS, "recreate")}
        if len(images) > 1:
            mixed.append(images)

    stage.informers.informer(PODS).add_handler(watch_pods)

    await set_image(stage, "recreate", "app:2")
    await stage.until(lambda: is_rolled_out(stage, "recreate", 3, "app:2"), "the new pods")

    assert mixed == []


async def test_old_replicasets_beyond_the_limit_go(stage: Stage) -> None:
    await create_and_wait(stage, "history", revisionHistoryLimit=1)
    for number in (2, 3, 4):
        image = f"app:{number}"
        await set_image(stage, "history", image)
        await stage.until(
            lambda image=image: is_rolled_out(stage, "history", 3, image),  # type: ignore[misc]
            image,
        )

    def two_left() -> bool:
        images = {template_image(found) for found in stage.list(REPLICASETS, "history")}
        return images == {"app:3", "app:4"}

    await stage.until(two_left, "the present and one old ReplicaSet")
