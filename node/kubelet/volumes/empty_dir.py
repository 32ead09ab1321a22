"""emptyDir: a directory that lives as long as its pod; medium Memory is a tmpfs.

Mounting needs root; without it a Memory volume is refused by name, the default medium works for
every user.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from control_plane.api import quantity
from node.kubelet.volumes.base import VolumeFailure, VolumeRequest
from node.kubelet.volumes.mounts import mount_memory

if TYPE_CHECKING:
    from pathlib import Path

_MODE, _GROUP_MODE = 0o777, 0o2777


async def prepare_empty_dir(request: VolumeRequest) -> Path:
    """Create the directory (and its tmpfs) unless it is there; contents are never touched."""
    medium = request.source.get("medium") or ""
    if medium not in ("", "Memory"):
        raise VolumeFailure(f"emptyDir medium {medium} is not supported")
    fresh = not request.directory.is_dir()
    await asyncio.to_thread(request.directory.mkdir, parents=True, exist_ok=True)
    if medium == "Memory" and not await asyncio.to_thread(os.path.ismount, request.directory):
        await asyncio.to_thread(_mount_memory, request)
        fresh = True
    if fresh:
        await asyncio.to_thread(_own, request.directory, request.fs_group)
    return request.directory


def _own(directory: Path, fs_group: int | None) -> None:
    if fs_group is not None:
        os.chown(directory, -1, fs_group)
    directory.chmod(_MODE if fs_group is None else _GROUP_MODE)


def _mount_memory(request: VolumeRequest) -> None:
    limits = [request.source.get("sizeLimit"), request.facts.allocatable.get("memory")]
    sizes = [quantity.value(str(limit)) for limit in limits if limit]
    options = f"size={min(sizes)}" if sizes else "size=50%"
    if problem := mount_memory(request.directory, options):
        raise VolumeFailure(f"emptyDir medium Memory needs a kubelet that may mount: {problem}")
