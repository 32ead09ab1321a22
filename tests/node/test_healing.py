"""Pods whose containers are removed behind the kubelet's back come to themselves again."""

from typing import Any

import aiodocker
import pytest

from node.kubelet.runtimes.base import PodIdentity, PodRecord
from node.kubelet.runtimes.choice import open_runtime
from tests.node.builders import container, pod
from tests.node.stage import Stage, is_running, main_status

pytestmark = pytest.mark.docker
SERVE = "mkdir /w; echo welcome > /w/index.html; trap 'exit 0' TERM; httpd -f -p 80 -h /w & wait"
WEB = container(
    command=["sh", "-c", SERVE],
    readinessProbe={"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1},
)


async def record_of(stage: Stage, seen: dict[str, Any]) -> PodRecord:
    """What the engine has of the pod."""
    runtime = await open_runtime(stage.config)
    try:
        return await runtime.pod_record(PodIdentity("default", "web", seen["metadata"]["uid"]))
    finally:
        await runtime.close()


async def remove_by_force(stage: Stage, container_id: str) -> None:
    """What `docker rm -f` does."""
    async with aiodocker.Docker(url=stage.config.docker_endpoint) as docker:
        await docker.containers.container(container_id).delete(force=True)


def runs_again(seen: dict[str, Any]) -> bool:
    return is_running(seen) and main_status(seen)["restartCount"] == 1


async def test_a_removed_sandbox_is_replaced_and_its_containers_move_over(stage: Stage) -> None:
    await stage.create(pod(WEB))
    before = await stage.until(is_running)
    old = await record_of(stage, before)
    await remove_by_force(stage, old.sandboxes[0].id)

    after = await stage.until(runs_again)  # ready: the probe reaches it at the new address

    new = await record_of(stage, after)
    assert [sandbox.running for sandbox in new.sandboxes] == [True]
    assert [c.id for c in new.containers if c.phase == "running"] == [new.containers[0].id]
    assert new.containers[0].id != old.containers[0].id
    assert after["status"]["podIP"] == new.sandboxes[0].ip


async def test_a_removed_container_is_replaced_in_its_sandbox(stage: Stage) -> None:
    await stage.create(pod(WEB))
    old = await record_of(stage, await stage.until(is_running))
    await remove_by_force(stage, old.containers[0].id)

    after = await stage.until(runs_again)

    new = await record_of(stage, after)
    assert [sandbox.id for sandbox in new.sandboxes] == [old.sandboxes[0].id]
    assert [(c.attempt, c.phase) for c in new.containers] == [(1, "running")]
    assert main_status(after)["lastState"]["terminated"]["exitCode"] == 137


async def test_a_pod_that_never_restarts_fails_with_its_sandbox(stage: Stage) -> None:
    await stage.create(pod(WEB, restartPolicy="Never"))
    old = await record_of(stage, await stage.until(is_running))
    await remove_by_force(stage, old.sandboxes[0].id)

    failed = await stage.until(lambda seen: seen["status"]["phase"] in ("Succeeded", "Failed"))

    assert "terminated" in main_status(failed)["state"]
    new = await record_of(stage, failed)
    assert [(c.id, c.phase) for c in new.containers] == [(old.containers[0].id, "exited")]
    assert not new.sandboxes
