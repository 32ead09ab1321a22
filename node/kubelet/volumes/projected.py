"""projected volumes: several sources merged into one directory, later ones winning.

SOURCES is the table of source types; a source that is not in it is refused by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.kubelet.pod_spec import all_containers
from node.kubelet.volumes.base import FileContent, Payload, VolumeFailure, VolumeRequest, mode_of
from node.kubelet.volumes.downward_api import downward_files
from node.kubelet.volumes.keyed import keyed_source

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from control_plane.api.objects import Object

DEFAULT_TOKEN_SECONDS = 3600
_TOKEN_MODE = 0o600


async def projected_payload(request: VolumeRequest) -> Payload:
    """Return the files of all sources."""
    payload: Payload = {}
    mode = mode_of(request.source)
    for projection in request.source.get("sources") or ():
        for kind, source in projection.items():
            if kind not in SOURCES:
                raise VolumeFailure(f"projected source {kind} is not supported")
            payload |= await SOURCES[kind](request, source, mode)
    return payload


async def _config_map(request: VolumeRequest, source: Object, mode: int) -> Payload:
    return await keyed_source(request, "configmap", source, mode)


async def _secret(request: VolumeRequest, source: Object, mode: int) -> Payload:
    return await keyed_source(request, "secret", source, mode)


async def _downward(request: VolumeRequest, source: Object, mode: int) -> Payload:
    return downward_files(request.facts, source.get("items") or (), mode)


async def _token(request: VolumeRequest, source: Object, mode: int) -> Payload:
    seconds = int(source.get("expirationSeconds") or DEFAULT_TOKEN_SECONDS)
    token = await request.reader.token(request.facts.pod, source.get("audience") or "", seconds)
    owner = _common_user(request.facts.pod)
    if request.fs_group is not None or owner is not None:
        mode = _TOKEN_MODE
    return {source["path"]: FileContent(token.encode(), mode, owner)}


def _common_user(pod: Object) -> int | None:
    """Return the uid all containers run as, None when they differ or leave it to their image."""
    default = (pod["spec"].get("securityContext") or {}).get("runAsUser")
    users = {
        (container.get("securityContext") or {}).get("runAsUser", default)
        for container in all_containers(pod)
    }
    user = users.pop() if len(users) == 1 else None
    return None if user is None else int(user)


SOURCES: Mapping[str, Callable[[VolumeRequest, Object, int], Awaitable[Payload]]] = {
    "configMap": _config_map,
    "secret": _secret,
    "downwardAPI": _downward,
    "serviceAccountToken": _token,
}
