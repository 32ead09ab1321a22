"""What a volume type is: one row of VOLUMES, made of these.

Two families. Content volumes (configMap, secret, downwardAPI, projected) are a function from the
pod and API objects to a Payload, which the atomic writer puts on disk and refreshes. Directory
volumes (emptyDir, hostPath) prepare a path.

Called by volumes/pod_volumes.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from control_plane.api.objects import Object
    from node.kubelet.containers.references import PodFacts

DEFAULT_MODE = 0o644


class VolumeFailure(Exception):
    """A volume cannot be set up now; the text is shown in a FailedMount event."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """One file of a content volume; owner is a uid or None for root."""

    data: bytes
    mode: int = DEFAULT_MODE
    owner: int | None = None


Payload = dict[str, FileContent]  # by path relative to the volume


class ObjectReader(Protocol):
    """Reads the API objects that volumes and environments refer to."""

    async def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return a "configmap" or "secret", None when it does not exist."""

    async def token(self, pod: Object, audience: str, seconds: int) -> str:
        """Return a service account token bound to the pod."""


@dataclass(frozen=True, slots=True)
class VolumeRequest:
    """One volume of one pod; `source` is what stands under the type's key."""

    facts: PodFacts
    name: str
    source: Object
    directory: Path
    reader: ObjectReader

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return str(self.facts.pod["metadata"].get("namespace", ""))

    @property
    def fs_group(self) -> int | None:
        """The group that owns the pod's volumes, if any."""
        group = (self.facts.pod["spec"].get("securityContext") or {}).get("fsGroup")
        return None if group is None else int(group)


@dataclass(frozen=True, slots=True)
class VolumeType:
    """A row of VOLUMES: exactly one of `payload` and `prepare` is set."""

    directory: str
    payload: Callable[[VolumeRequest], Awaitable[Payload]] | None = None
    prepare: Callable[[VolumeRequest], Awaitable[Path]] | None = None
    read_only: bool = False


def mode_of(source: Mapping[str, object], default: int = DEFAULT_MODE) -> int:
    """Return defaultMode (or mode) of a source."""
    for key in ("mode", "defaultMode"):
        value = source.get(key)
        if isinstance(value, int):
            return value
    return default
