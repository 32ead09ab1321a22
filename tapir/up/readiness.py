"""When the cluster can be used: its node is Ready and pods in `default` have a service account."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

from control_plane.api.errors import AlreadyExists, ApiError
from control_plane.api.objects import Object, find_condition
from control_plane.api.resources import CLUSTERROLEBINDINGS, NODES, SERVICEACCOUNTS, Resource
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from tapir.up.permissions import kubelet_admin_binding

PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 5.0
Result = TypeVar("Result")


async def wait_until_ready(kubeconfig: Path, node: str, progress: Callable[[str], None]) -> Object:
    """Return the Ready Node object; say what was reached through `progress`. Waits for ever.

    What takes longer than PATIENCE_SECONDS is said, once.
    """
    async with ApiClient(ClientConfig.from_kubeconfig(kubeconfig)) as client:
        await _patiently(_served(client), "waiting for the API server and its store", progress)
        progress("API server answers")
        granting = _granted(client, kubelet_admin_binding())
        await _patiently(granting, "waiting for the API server to take a binding", progress)
        ready = _seen(client, NODES, node, None, _is_ready)
        found = await _patiently(ready, f"waiting for node {node} to be Ready", progress)
        account = _seen(client, SERVICEACCOUNTS, "default", "default", lambda _: True)
        await _patiently(account, "waiting for the service account default/default", progress)
        return found


async def _patiently(
    waiting: Coroutine[None, None, Result], line: str, progress: Callable[[str], None]
) -> Result:
    """Return what `waiting` does; say `line` once if that takes long."""
    later = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, progress, line)
    try:
        return await waiting
    finally:
        later.cancel()


async def _served(client: ApiClient) -> None:
    """Wait until the API server and its store answer."""
    while True:
        try:
            await client.request("GET", "/readyz")
        except (OSError, ApiError):
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return


async def _granted(client: ApiClient, binding: Object) -> None:
    """Have the binding there, whatever somebody has made of it."""
    while True:
        try:
            await client.create(CLUSTERROLEBINDINGS, binding)
        except AlreadyExists:
            return
        except (OSError, ApiError):
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return


async def _seen(
    client: ApiClient,
    resource: Resource,
    name: str,
    namespace: str | None,
    wanted: Callable[[Object], bool],
) -> Object:
    while True:
        try:
            found = await client.get(resource, name, namespace)
        except (OSError, ApiError):
            found = None
        if found is not None and wanted(found):
            return found
        await asyncio.sleep(PAUSE_SECONDS)


def _is_ready(node: Object) -> bool:
    condition = find_condition(node, "Ready")
    return condition is not None and condition["status"] == "True"
