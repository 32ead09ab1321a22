"""volumeMounts as bind mounts, with subPath, subPathExpr, read-only and propagation.

Resolving a subPath looks at the disk and may create a directory: call it in a thread. Called by
container_config.py.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from node.kubelet.containers.expansion import expand
from node.kubelet.runtimes.base import Mount
from node.kubelet.volumes.pod_volumes import VolumePaths, volume_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.objects import Object

_PROPAGATION = {"None": "rprivate", "HostToContainer": "rslave", "Bidirectional": "rshared"}


class MountFailure(Exception):
    """A mount cannot be made; the text is shown as CreateContainerConfigError."""


def container_mounts(
    pod: Object, container: Object, paths: VolumePaths, env: Mapping[str, str]
) -> list[Mount]:
    """Return the bind mounts of one container."""
    read_only = {
        volume["name"]
        for volume in pod["spec"].get("volumes") or ()
        if volume_type(volume)[1].read_only
    }
    return [
        _mount(container, mount, paths, env, mount["name"] in read_only)
        for mount in container.get("volumeMounts") or ()
    ]


def _mount(
    container: Object, mount: Object, paths: VolumePaths, env: Mapping[str, str], read_only: bool
) -> Mount:
    name, target = mount["name"], mount["mountPath"]
    if name not in paths:
        raise MountFailure(f'volume "{name}" is not in the pod')
    source = _source(container, mount, paths[name], env)
    return Mount(
        source=str(source),
        target=target if target.startswith("/") else f"/{target}",
        read_only=read_only or bool(mount.get("readOnly")),
        propagation=_PROPAGATION[mount.get("mountPropagation") or "None"],
    )


def _source(container: Object, mount: Object, volume: Path, env: Mapping[str, str]) -> Path:
    part = _sub_path(mount, env)
    if not part:
        return volume
    if part.startswith("/"):
        raise MountFailure(f"error SubPath `{part}` must not be an absolute path")
    if ".." in part.split("/"):
        raise MountFailure(f"unable to provision SubPath `{part}`: must not contain '..'")
    real, inside = os.path.realpath(volume / part), os.path.realpath(volume)
    if os.path.commonpath((real, inside)) != inside:
        raise MountFailure(
            f'failed to prepare subPath for volumeMount "{mount["name"]}" '
            f'of container "{container["name"]}"'
        )
    found = Path(real)
    if not found.exists():
        found.mkdir(parents=True)
        found.chmod(Path(inside).stat().st_mode & 0o7777)
    return found


def _sub_path(mount: Object, env: Mapping[str, str]) -> str:
    if expression := mount.get("subPathExpr"):
        missing: list[str] = []
        text = expand(expression, {k: v for k, v in env.items() if v}, missing=missing)
        if missing:
            raise MountFailure(f"missing value for {', '.join(missing)}")
        return text
    return str(mount.get("subPath") or "")
