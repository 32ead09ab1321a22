"""What the request handlers share: where the kubelet and its runtime are found, and plain-text
errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from node.kubelet.kubelet import Kubelet
from node.kubelet.pod_spec import find_status
from node.kubelet.runtimes.base import Runtime

if TYPE_CHECKING:
    from control_plane.api.objects import Object

KUBELET: web.AppKey[Kubelet] = web.AppKey("kubelet", Kubelet)
RUNTIME: web.AppKey[Runtime] = web.AppKey("runtime", Runtime)


def text_error(status: int, text: str) -> web.Response:
    """Return an error the way the kubelet's callers expect it: text, not a Status."""
    return web.Response(status=status, text=text)


def running_container_id(pod: Object, name: str) -> str | None:
    """Return the id of a container that runs, from the pod's status; None when it does not."""
    status = find_status(pod, name)
    if "running" not in (status.get("state") or {}):
        return None
    return str(status.get("containerID", "")).rpartition("//")[2]
