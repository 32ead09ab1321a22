"""When the cluster can be used: its node is Ready and pods in `default` have a service account."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from control_plane.api.errors import ApiError
from control_plane.api.objects import Object, find_condition
from control_plane.api.resources import NODES, SERVICEACCOUNTS, Resource
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig

PAUSE_SECONDS = 0.05


async def wait_until_ready(kubeconfig: Path, node: str, progress: Callable[[str], None]) -> Object:
    """Return the Ready Node object; say what was reached through `progress`. Waits for ever."""
    async with ApiClient(ClientConfig.from_kubeconfig(kubeconfig)) as client:
        await _served(client)
        progress("API server answers")
        found = await _seen(client, NODES, node, None, _is_ready)
        await _seen(client, SERVICEACCOUNTS, "default", "default", lambda _: True)
        return found


async def _served(client: ApiClient) -> None:
    """Wait until the API server and its store answer."""
    while True:
        try:
            await client.request("GET", "/readyz")
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
