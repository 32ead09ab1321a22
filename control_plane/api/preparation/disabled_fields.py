"""Fields of features that are off in this version: dropped, unless in use before.

POD_FIELDS is the table of pods. Called by the strategies of pods and of everything with a pod
template, and of devices. Source: v1.35 feature gates and their defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from control_plane.api.objects import Object

POD_FIELDS: Final[tuple[tuple[str, ...], ...]] = (
    ("workloadRef",),  # GenericWorkload
    ("volumes", "projected", "sources", "clusterTrustBundle"),  # ClusterTrustBundleProjection
    ("volumes", "projected", "sources", "podCertificate"),  # PodCertificateRequest
)
POD_STATUS_FIELDS: Final[tuple[tuple[str, ...], ...]] = (
    ("resources",),  # InPlacePodLevelResourcesVerticalScaling
    ("allocatedResources",),
    ("extendedResourceClaimStatus",),  # DRAExtendedResource
)
_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")
_CONTAINER_STATUSES: Final = (
    "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses",
)  # fmt: skip


def drop_disabled_pod_fields(spec: Object, old_spec: Object | None = None) -> None:
    """Remove from a pod spec, in place, what no feature reads; a stored spec keeps what it has."""
    old = old_spec or {}
    drop_disabled_fields(spec, old, POD_FIELDS)
    if not any(_has_stop_signals(old, kind) for kind in _CONTAINERS):
        for kind in _CONTAINERS:
            _drop_stop_signals(spec, kind)


def drop_disabled_pod_status_fields(status: Object, old_status: Object) -> None:
    """Remove from a pod's status, in place, what only features that are off would write."""
    drop_disabled_fields(status, old_status, POD_STATUS_FIELDS)
    for kind in _CONTAINER_STATUSES:  # ResourceHealthStatus, whatever was stored
        drop_disabled_fields(status, {}, ((kind, "allocatedResourcesStatus"),))


def _has_stop_signals(spec: Object, kind: str) -> bool:
    return any("stopSignal" in lifecycle for lifecycle in parts(spec, kind, "lifecycle"))


def _drop_stop_signals(spec: Object, kind: str) -> None:
    """Take out the signals, and with them a lifecycle that says nothing else."""
    if not _has_stop_signals(spec, kind):
        return
    for container in parts(spec, kind):
        lifecycle = container.get("lifecycle") or {}
        if lifecycle.pop("stopSignal", None) is not None and not lifecycle:
            del container["lifecycle"]


def drop_disabled_fields(new: Object, old: Object, fields: Iterable[tuple[str, ...]]) -> None:
    """Remove from `new`, in place, each of `fields` that `old` does not have anywhere.

    A path enters every item of the lists on its way, and with "*" every value of a map.
    """
    for *path, field in fields:
        owners = [owner for owner in parts(new, *path) if field in owner]
        if owners and not any(owner.get(field) is not None for owner in parts(old, *path)):
            for owner in owners:
                del owner[field]
