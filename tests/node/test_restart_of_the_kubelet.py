"""What a kubelet finds when it comes back: its containers adopted, what nobody wants removed."""

import asyncio

import pytest

from control_plane.api.resources import PODS
from node.kubelet.runtimes.base import PodIdentity, SandboxConfig
from node.kubelet.runtimes.choice import open_runtime
from tests.node.builders import container, pod
from tests.node.stage import Stage, is_running, main_status

RUNTIMES = ["simulated", pytest.param("docker", marks=pytest.mark.docker)]
SLEEPER = container(command=["sleep", "1000"])


@pytest.mark.parametrize("runtime_name", RUNTIMES)
async def test_containers_keep_running_and_are_adopted(stage: Stage) -> None:
    await stage.create(pod(SLEEPER))
    before = main_status(await stage.until(is_running))
    await stage.stop()
    await stage.start()
    await stage.create(pod(SLEEPER, name="after"))
    await stage.until(is_running, "after")  # so the kubelet has looked at all its pods
    after = main_status(await stage.pod())
    assert after["containerID"] == before["containerID"]
    assert (after["restartCount"], after["ready"]) == (0, True)


@pytest.mark.parametrize("runtime_name", RUNTIMES)
async def test_pods_deleted_meanwhile_are_cleaned_up(stage: Stage) -> None:
    await stage.create(pod(SLEEPER))
    uid = (await stage.until(is_running))["metadata"]["uid"]
    await stage.stop()
    options = {"gracePeriodSeconds": 0}
    await stage.client.delete(PODS, "web", "default", options=options)
    await stage.until_gone()
    await stage.start()
    await until_removed(stage, uid)
    assert not (stage.config.root_dir / "pods" / uid).exists()


@pytest.mark.parametrize("runtime_name", RUNTIMES)
async def test_what_the_api_never_had_is_removed(cluster: Stage) -> None:
    runtime = await open_runtime(cluster.config)
    await runtime.create_sandbox(SandboxConfig(PodIdentity("x", "stray", "stray-uid"), 0, "stray"))
    await runtime.close()
    async with cluster:
        await until_removed(cluster, "stray-uid")


@pytest.mark.docker
async def test_a_container_that_ended_meanwhile_is_restarted_and_counted(stage: Stage) -> None:
    await stage.create(pod(SLEEPER))
    before = main_status(await stage.until(is_running))["containerID"].rpartition("//")[2]
    await stage.stop()
    runtime = await open_runtime(stage.config)
    await runtime.stop(before, 0)
    await runtime.close()
    await stage.start()
    seen = await stage.until(lambda p: main_status(p)["restartCount"] == 1 and is_running(p))
    assert main_status(seen)["lastState"]["terminated"]["containerID"] == f"docker://{before}"


@pytest.mark.docker
async def test_a_force_deleted_pod_leaves_nothing(stage: Stage) -> None:
    await stage.create(pod(SLEEPER))
    uid = (await stage.until(is_running))["metadata"]["uid"]
    options = {"gracePeriodSeconds": 0}
    await stage.client.delete(PODS, "web", "default", options=options)
    await until_removed(stage, uid)


async def until_removed(stage: Stage, uid: str) -> None:
    """Return once the runtime has nothing of the pod and the disk neither."""
    async with asyncio.timeout(30):
        while await _is_left(stage, uid):
            await stage.breathe()


async def _is_left(stage: Stage, uid: str) -> bool:
    """Ask a runtime of our own, opened afresh: a simulated one keeps its state on disk."""
    runtime = await open_runtime(stage.config)
    try:
        on_disk = (stage.config.root_dir / "pods" / uid).exists()
        return on_disk or uid in await runtime.list_pods()
    finally:
        await runtime.close()
