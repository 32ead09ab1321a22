"""The tables of Deployments, ReplicaSets and ReplicationControllers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.objects import Object, dig, name_of
from control_plane.api.tables.columns import AGE, NAME, WIDE, Column, View
from control_plane.api.tables.rendering import (
    age,
    container_images,
    container_names,
    labels,
    selector,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

CONTAINERS = Column("Containers", priority=WIDE, text="The names of the template's containers.")
IMAGES = Column("Images", priority=WIDE, text="The images of the template's containers.")


def template_cells(obj: Object) -> list[str]:
    """Return the cells of the containers and images columns."""
    pod_spec = dig(obj, "spec", "template", "spec", default={})
    return [container_names(pod_spec), container_images(pod_spec)]


def _deployment_cells(obj: Object, now: datetime) -> list[Any]:
    status = obj.get("status") or {}
    desired = dig(obj, "spec", "replicas", default=0)
    return [
        name_of(obj),
        f"{status.get('readyReplicas') or 0}/{desired}",
        status.get("updatedReplicas") or 0,
        status.get("availableReplicas") or 0,
        age(obj, now),
        *template_cells(obj),
        selector(dig(obj, "spec", "selector"), invalid="<invalid>"),
    ]


def _replica_cells(show_selector: Callable[[Any], str]) -> Callable[[Object, datetime], list[Any]]:
    def cells(obj: Object, now: datetime) -> list[Any]:
        status = obj.get("status") or {}
        return [
            name_of(obj),
            dig(obj, "spec", "replicas", default=0),
            status.get("replicas") or 0,
            status.get("readyReplicas") or 0,
            age(obj, now),
            *template_cells(obj),
            show_selector(dig(obj, "spec", "selector")),
        ]

    return cells


def _replica_columns(spec: str, status: str) -> tuple[Column, ...]:
    return (
        NAME,
        Column("Desired", "integer", doc=f"{spec}.replicas"),
        Column("Current", "integer", doc=f"{status}.replicas"),
        Column("Ready", "integer", doc=f"{status}.readyReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", priority=WIDE, doc=f"{spec}.selector"),
    )


DEPLOYMENTS = View(
    (
        NAME,
        Column("Ready", text="How many of the wanted pods are ready."),
        Column("Up-to-date", doc="apps.v1.DeploymentStatus.updatedReplicas"),
        Column("Available", doc="apps.v1.DeploymentStatus.availableReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", priority=WIDE, doc="apps.v1.DeploymentSpec.selector"),
    ),
    _deployment_cells,
)
REPLICASETS = View(
    _replica_columns("apps.v1.ReplicaSetSpec", "apps.v1.ReplicaSetStatus"),
    _replica_cells(selector),
)
REPLICATIONCONTROLLERS = View(
    _replica_columns("core.v1.ReplicationControllerSpec", "core.v1.ReplicationControllerStatus"),
    _replica_cells(labels),
)
