"""Who owns a workload's replicas, as managedFields of its Scale, and back again.

The scale endpoint tracks and applies on a Scale of its own, whose managers are those of the
workload that own spec.replicas. What has become of them there is written back: who lost the
replicas loses them in the workload, and who got them has an entry for the subresource. Pure; called
by the API server's scale endpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.apply.field_set import difference, has_path, set_of
from control_plane.api.apply.managers import ManagedFieldsError, Managers, decode, encode

if TYPE_CHECKING:
    from control_plane.api.objects import Object

SCALE_VERSION: Final = "autoscaling/v1"
REPLICAS: Final = ("f:spec", "f:replicas")
_ONLY_REPLICAS: Final = set_of(REPLICAS)


def scale_entries(parent_entries: Any, replicas: tuple[str, ...] = REPLICAS) -> list[Object]:
    """Return the managedFields of the Scale of a workload with these managedFields.

    `replicas` is where the workload has its replicas, as a path of owned fields.
    """
    return encode(
        {
            identity: manager.owning(_ONLY_REPLICAS)._replace(
                api_version=SCALE_VERSION, encoded=None
            )
            for identity, manager in _decoded(parent_entries).items()
            if has_path(manager.fields, replicas)
        }
    )


def parent_entries(
    entries: Any, scale: Any, api_version: str, replicas: tuple[str, ...] = REPLICAS
) -> list[Object]:
    """Return the workload's managedFields after those of its Scale have become `scale`.

    `api_version` is the workload's, `replicas` where it has its replicas.
    """
    only_replicas = set_of(replicas)
    owners = {
        as_parent.identity: as_parent
        for as_parent in (
            manager._replace(api_version=api_version, encoded=None)
            for manager in _decoded(scale).values()
            if has_path(manager.fields, REPLICAS)
        )
    }
    result: Managers = {}
    for identity, manager in _decoded(entries).items():
        kept = manager
        if has_path(manager.fields, replicas) and owners.pop(identity, None) is None:
            kept = manager.owning(difference(manager.fields, only_replicas))
        if kept.fields:
            result[identity] = kept
    for identity, owner in owners.items():
        result[identity] = owner._replace(fields=only_replicas, time="")
    return encode(result)


def _decoded(entries: Any) -> Managers:
    try:
        return decode(entries)
    except ManagedFieldsError:
        return {}
