"""The volumes of a pod on disk: set up, refreshed, and removed with the pod.

    <root>/pods/<uid>/volumes/kubernetes.io~<type>/<name>
    <root>/pods/<uid>/containers/<container>/<id>        termination messages
    <root>/pods/<uid>/etc-hosts, resolv.conf

Called by the pod worker at each sync (setting up again is how contents are refreshed) and by
housekeeping for pods that are gone. What is on disk is the only state.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from node.kubelet.volumes import VOLUMES
from node.kubelet.volumes.atomic_writer import write_payload
from node.kubelet.volumes.base import ObjectReader, VolumeFailure, VolumeRequest, VolumeType
from node.kubelet.volumes.mounts import unmount_below

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from node.kubelet.containers.references import PodFacts

log = logging.getLogger(__name__)

VolumePaths = Mapping[str, Path]  # by volume name


class VolumeSetUpFailure(Exception):
    """One volume of a pod failed; the text is the FailedMount event's message."""


class PodVolumes:
    """All pods' volumes below one root directory."""

    def __init__(self, root: Path, reader: ObjectReader) -> None:
        self._pods, self._reader = root / "pods", reader

    def pod_directory(self, uid: str) -> Path:
        """Return where a pod's files are."""
        return self._pods / uid

    async def set_up(self, facts: PodFacts) -> VolumePaths:
        """Set up or refresh every volume of the pod; raises VolumeSetUpFailure for the first that
        fails.
        """
        paths = {}
        directory = self.pod_directory(facts.pod["metadata"]["uid"])
        await asyncio.to_thread(directory.mkdir, mode=0o750, parents=True, exist_ok=True)
        for volume in facts.pod["spec"].get("volumes") or ():
            try:
                paths[volume["name"]] = await self._set_up_one(facts, volume, directory)
            except (VolumeFailure, OSError) as error:
                raise VolumeSetUpFailure(
                    f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}'
                ) from error
        return paths

    async def release(self, uid: str) -> None:
        """Remove the volumes of a pod whose containers have ended for good: their memory and disk
        space are free while the pod is still there to be asked about.

        Nothing below a mount is touched. Raises VolumeFailure for one that cannot be unmounted;
        what cannot be removed is logged.
        """
        await asyncio.to_thread(_remove, self.pod_directory(uid) / "volumes")

    async def tear_down(self, uid: str) -> None:
        """Remove everything of a pod, as `release` does; not being there is fine."""
        await asyncio.to_thread(_remove, self.pod_directory(uid))

    async def pods_on_disk(self) -> list[str]:
        """Return the uids that have a directory."""
        return await asyncio.to_thread(_entries, self._pods)

    async def _set_up_one(self, facts: PodFacts, volume: Object, directory: Path) -> Path:
        key, kind = volume_type(volume)
        name = str(volume["name"])
        path = directory / "volumes" / f"kubernetes.io~{kind.directory}" / name
        source = volume.get(key) or {}
        request = VolumeRequest(facts, name, source, path, self._reader)
        if kind.prepare is not None:
            return await kind.prepare(request)
        assert kind.payload is not None
        payload = await kind.payload(request)
        await asyncio.to_thread(write_payload, path, payload, datetime.now(UTC), request.fs_group)
        return path


def volume_type(volume: Object) -> tuple[str, VolumeType]:
    """Return the key and row of a volume's type; raises VolumeFailure when it is not supported."""
    keys = [key for key in volume if key != "name"]
    for key in keys:
        if key in VOLUMES:
            return key, VOLUMES[key]
    if not keys:
        return "emptyDir", VOLUMES["emptyDir"]
    raise VolumeFailure(f"volume type {keys[0]} is not supported by this node")


def _entries(directory: Path) -> list[str]:
    return sorted(os.listdir(directory)) if directory.is_dir() else []


def _remove(directory: Path) -> None:
    if not directory.exists():
        return
    unmount_below(directory)
    try:
        shutil.rmtree(directory)
    except OSError as error:
        log.warning("pod_files_left directory=%s error=%s", directory, error)
