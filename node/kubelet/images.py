"""Images: whether to pull, pulling, and the back-off after failures.

`pull_decision` is pure. Images in a cluster without a registry are only local ones: IfNotPresent
looks there first. Called by container_start.py. Source: kubelet pkg/kubelet/images.

Bound: pulls go one at a time (upstream's serializeImagePulls), the others wait their turn.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

from node.kubelet.credentials import find_credentials
from node.kubelet.pod_spec import identity_of
from node.kubelet.restart import Backoff
from node.kubelet.runtimes.base import ImageRecord, Runtime, RuntimeFailure
from node.kubelet.status.container_status import WaitReason
from node.kubelet.volumes.base import VolumeFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from control_plane.api.objects import Object
    from node.kubelet.pod_events import PodEvents
    from node.kubelet.volumes.base import ObjectReader

_REFERENCE = re.compile(
    r"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?"
)


class StartFailure(Exception):
    """A container cannot start now; `wait` is what its status shows, `retry_seconds` when to try
    again.
    """

    def __init__(self, wait: WaitReason, retry_seconds: float | None = None) -> None:
        super().__init__(wait.message)
        self.wait, self.retry_seconds = wait, retry_seconds


def normalized(reference: str) -> str:
    """Return the reference with `:latest` when it has neither tag nor digest.

    Raises StartFailure (InvalidImageName) when it cannot be one.
    """
    if not _REFERENCE.fullmatch(reference):
        raise StartFailure(
            WaitReason(
                "InvalidImageName",
                f'Failed to apply default image tag "{reference}": '
                f'couldn\'t parse image name "{reference}": invalid reference format',
            )
        )
    last = reference.rpartition("/")[2]
    return reference if ":" in last or "@" in last else f"{reference}:latest"


def pull_decision(policy: str, present: bool) -> str:
    """Return pull, use or never (the image is absent and may not be pulled)."""
    if policy == "Always":
        return "pull"
    if present:
        return "use"
    return "never" if policy == "Never" else "pull"


class ImagePuller:
    """Makes images present, for all pods of the node."""

    def __init__(
        self,
        runtime: Runtime,
        reader: ObjectReader,
        events: PodEvents,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtime, self._reader, self._events, self._clock = runtime, reader, events, clock
        self._backoff = Backoff()
        self._failures: dict[str, WaitReason] = {}
        self._turn = asyncio.Lock()

    async def ensure(self, pod: Object, container: Object) -> ImageRecord:
        """Return the container's image, pulled if its policy asks for that; raises StartFailure."""
        reference = normalized(container["image"])
        present = await self._find(pod, container, reference)
        decision = pull_decision(
            container.get("imagePullPolicy") or "IfNotPresent", present is not None
        )
        if decision == "use" and present is not None:
            self._events.normal(
                pod,
                "Pulled",
                f'Container image "{container["image"]}" already present on machine '
                "and can be accessed by the pod",
                container=container["name"],
            )
            return present
        if decision == "never":
            message = (
                f'Container image "{container["image"]}" is not present with pull policy of Never'
            )
            self._events.warning(pod, "ErrImageNeverPull", message, container=container["name"])
            raise StartFailure(WaitReason("ErrImageNeverPull", message))
        return await self._pull(pod, container, reference)

    def forget(self, uid: str) -> None:
        """Drop what is remembered of a pod that is gone."""
        self._backoff.forget(f"{uid}_")
        for key in [key for key in self._failures if key.startswith(f"{uid}_")]:
            del self._failures[key]

    async def _find(self, pod: Object, container: Object, reference: str) -> ImageRecord | None:
        try:
            return await self._runtime.find_image(reference)
        except RuntimeFailure as error:
            message = f'Failed to inspect image "{reference}": {error}'
            self._events.warning(pod, "InspectFailed", message, container=container["name"])
            raise StartFailure(WaitReason("ImageInspectError", message)) from error

    async def _pull(self, pod: Object, container: Object, reference: str) -> ImageRecord:
        image, name = container["image"], container["name"]
        key = f"{identity_of(pod).uid}_{image}"
        self._check_backoff(pod, key, container)
        started = self._clock()
        try:
            async with self._turn:
                waited = self._clock()
                self._events.normal(pod, "Pulling", f'Pulling image "{image}"', container=name)
                await self._pull_with_credentials(pod, reference)
            found = await self._runtime.find_image(reference)
            if found is None:
                raise RuntimeFailure(f"image {reference} is not there after pulling it")
        except RuntimeFailure as error:
            raise self._failed(pod, key, container, str(error)) from error
        took, total = self._clock() - waited, self._clock() - started
        self._events.normal(
            pod,
            "Pulled",
            f'Successfully pulled image "{image}" in {took:.3f}s '
            f"({total:.3f}s including waiting). Image size: {found.size_bytes} bytes.",
            container=name,
        )
        self._failures.pop(key, None)
        return found

    async def _pull_with_credentials(self, pod: Object, reference: str) -> None:
        """Try every credential that fits the registry, then none; the last failure counts."""
        try:
            candidates, missing = await find_credentials(pod, reference, self._reader)
        except (VolumeFailure, OSError) as error:
            raise RuntimeFailure(f"cannot read image pull secrets: {error}") from error
        if missing:
            self._events.warning(
                pod,
                "FailedToRetrieveImagePullSecret",
                f"Unable to retrieve some image pull secrets ({', '.join(missing)}); "
                "attempting to pull the image may not succeed.",
            )
        for credentials in candidates[:-1]:
            try:
                await self._runtime.pull_image(reference, credentials)
            except RuntimeFailure:
                continue
            return
        await self._runtime.pull_image(reference, candidates[-1] if candidates else None)

    def _check_backoff(self, pod: Object, key: str, container: Object) -> None:
        remaining = self._backoff.remaining_since_update(key, self._clock())
        if not remaining:
            return
        message, name = f'Back-off pulling image "{container["image"]}"', container["name"]
        self._events.normal(pod, "BackOff", message, container=name)
        self._events.warning(pod, "Failed", "Error: ImagePullBackOff", container=name)
        if before := self._failures.get(key):
            message += f": {before.reason}: {before.message}"
        raise StartFailure(WaitReason("ImagePullBackOff", message), remaining)

    def _failed(self, pod: Object, key: str, container: Object, text: str) -> StartFailure:
        now, name = self._clock(), container["name"]
        seconds = self._backoff.advance(key, now, now)
        message = f'Failed to pull image "{container["image"]}": {text}'
        self._events.warning(pod, "Failed", message, container=name)
        self._events.warning(pod, "Failed", "Error: ErrImagePull", container=name)
        self._failures[key] = WaitReason("ErrImagePull", text)
        return StartFailure(self._failures[key], min(seconds, 1.0))
