"""A kubelet for tests: its configuration, and starting it beside a real API server."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from control_plane.api.errors import NotFound
from control_plane.api.resources import NODES, PODS
from control_plane.client.client import ApiClient
from node.kubelet.config import DEFAULT_ENDPOINT, KubeletConfig
from node.kubelet.object_reader import ApiObjectReader
from node.kubelet.runtimes.base import Runtime
from node.kubelet.runtimes.choice import open_runtime
from node.kubelet.server import run
from node.kubelet.volumes.pod_volumes import PodVolumes
from tests.support.apiserver import NODE, ApiServer
from tests.support.ports import free_port

Object = dict[str, Any]
SECONDS = 60
UNTIL_SERVED = "until wget -q -O /dev/null http://127.0.0.1:8080/; do sleep 0.1; done"
"""A script that ends when what a container has just started to serve can be had in it."""


def kubelet_config(directory: Path, **fields: Any) -> KubeletConfig:
    """A configuration whose certificate files need not exist."""
    nowhere = directory / "none"
    defaults: dict[str, Any] = {
        "kubeconfig": nowhere,
        "node_name": NODE,
        "root_dir": directory / "kubelet",
        "tls_cert_file": nowhere,
        "tls_private_key_file": nowhere,
        "client_ca_file": nowhere,
        "node_ip": "127.0.0.1",
        "docker_endpoint": os.environ.get("DOCKER_HOST") or DEFAULT_ENDPOINT,
    }
    return KubeletConfig(**{**defaults, **fields})


async def remove_containers(runtime: Runtime) -> None:
    """Remove all that the runtime has."""
    for record in (await runtime.list_pods()).values():
        for container in record.containers:
            await runtime.remove(container.id)
        for sandbox in record.sandboxes:
            await runtime.remove_sandbox(sandbox.id)


class Stage:
    """A kubelet at `server`, on which pods are put by hand: there is no scheduler."""

    def __init__(
        self, server: ApiServer, client: ApiClient, directory: Path, **config: Any
    ) -> None:
        self.server, self.client = server, client
        pair = server.pki.pair(f"kubelet-{NODE}")
        self.config = kubelet_config(
            directory,
            kubeconfig=server.pki.kubeconfig(f"kubelet-{NODE}"),
            tls_cert_file=pair.certificate,
            tls_private_key_file=pair.key,
            client_ca_file=server.pki.pair("ca").certificate,
            address="127.0.0.1",
            port=free_port(),
            sync_frequency_seconds=2.0,
            **config,
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> Self:
        """Run the kubelet until its node is Ready."""
        ready = asyncio.Event()
        self._task = asyncio.create_task(run(self.config, ready))
        waiter = asyncio.create_task(ready.wait())
        async with asyncio.timeout(SECONDS):
            await asyncio.wait((waiter, self._task), return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if self._task.done():
            self._task.result()
        return self

    async def stop(self) -> None:
        """Stop the kubelet; containers go on."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        runtime = await open_runtime(self.config)
        await remove_containers(runtime)
        await self.breathe()  # the engine finishes a create whose caller was cancelled
        await remove_containers(runtime)
        await runtime.close()
        volumes = PodVolumes(self.config.root_dir, ApiObjectReader(self.client))
        for uid in await volumes.pods_on_disk():
            await volumes.tear_down(uid)

    async def create(self, pod: Object) -> Object:
        """Create a pod that is bound to this node already."""
        meta = {k: v for k, v in pod["metadata"].items() if k in ("name", "namespace", "labels")}
        spec = {"terminationGracePeriodSeconds": 1, **pod["spec"], "nodeName": NODE}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
        return await self.client.create(PODS, body)

    async def pod(self, name: str = "web") -> Object:
        """The pod as the API has it."""
        return await self.client.get(PODS, name, "default")

    async def until(self, holds: Callable[[Object], Any], name: str = "web") -> Object:
        """Return the pod once `holds(pod)`; the failure shows its last status."""
        pod: Object = {}
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    pod = await self.pod(name)
                    if holds(pod):
                        return pod
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"waited in vain; last status: {pod.get('status')}") from None

    async def until_gone(self, name: str = "web") -> None:
        """Return once the API has the pod no more."""
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    await self.pod(name)
                except NotFound:
                    return
                await asyncio.sleep(0.05)

    async def breathe(self) -> None:
        """Wait a moment between two looks at something nobody announces."""
        await asyncio.sleep(0.05)

    async def node(self) -> Object:
        """The Node."""
        return await self.client.get(NODES, NODE)

    async def logs(self, name: str = "web", **params: str) -> str:
        """A pod's log through the API server."""
        path = PODS.path("default", name, "log")
        answer = await self.client.request("GET", path, params=params)
        return answer.decode() if isinstance(answer, bytes) else str(answer or "")


def main_status(pod: Object) -> Object:
    """The status of the first container, {} while there is none."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
    return dict(statuses[0])


def is_running(pod: Object) -> bool:
    """Whether the pod runs and is ready."""
    return (pod.get("status") or {}).get("phase") == "Running" and bool(
        main_status(pod).get("ready")
    )
