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
    ("containers", "lifecycle", "stopSignal"),  # ContainerStopSignals
    ("initContainers", "lifecycle", "stopSignal"),
    ("volumes", "projected", "sources", "clusterTrustBundle"),  # ClusterTrustBundleProjection
    ("volumes", "projected", "sources", "podCertificate"),  # PodCertificateRequest
)


def drop_disabled_pod_fields(spec: Object, old_spec: Object | None = None) -> None:
    """Remove from a pod spec, in place, what no feature reads; a stored spec keeps what it has."""
    drop_disabled_fields(spec, old_spec or {}, POD_FIELDS)


def drop_disabled_fields(new: Object, old: Object, fields: Iterable[tuple[str, ...]]) -> None:
    """Remove from `new`, in place, each of `fields` that `old` does not have anywhere.

    A path enters every item of the lists on its way, and with "*" every value of a map.
    """
    for *path, field in fields:
        owners = [owner for owner in parts(new, *path) if field in owner]
        if owners and not any(owner.get(field) is not None for owner in parts(old, *path)):
            for owner in owners:
                del owner[field]
