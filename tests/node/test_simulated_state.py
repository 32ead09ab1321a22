"""The simulated runtime's files: whole and newest, however many changes come at once."""

import asyncio
import os
from pathlib import Path

from node.kubelet.runtimes.base import ContainerConfig, PodIdentity, SandboxConfig
from node.kubelet.runtimes.simulated import SimulatedRuntime

POD = PodIdentity("default", "web", "uid-of-web")


async def test_changes_of_one_pod_at_once_are_all_kept(tmp_path: Path) -> None:
    runtime = SimulatedRuntime(tmp_path)
    await runtime.open()
    sandbox = await runtime.create_sandbox(SandboxConfig(POD, 0, "web"))

    async def run(name: str) -> None:
        container = await runtime.create_container(
            ContainerConfig(pod=POD, name=name, attempt=0, sandbox_id=sandbox, image="x:1")
        )
        await runtime.start(container)

    await asyncio.gather(*(run(f"c{number}") for number in range(40)))
    containers = (await runtime.pod_record(POD)).containers
    assert {container.phase for container in containers} == {"running"}
    assert len(containers) == 40

    again = SimulatedRuntime(tmp_path)
    await again.open()
    assert list((await again.pod_record(POD)).containers) == list(containers)

    await asyncio.gather(*(runtime.remove(container.id) for container in containers))
    await runtime.remove_sandbox(sandbox)
    assert await asyncio.to_thread(os.listdir, tmp_path) == []
