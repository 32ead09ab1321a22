"""The tables of apps/v1, and of ReplicationControllers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.objects import Object, controller_of, dig, name_of
from control_plane.api.tables.columns import AGE, NAME, WIDE, Column, View
from control_plane.api.tables.rendering import (
    NONE,
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


def _daemon_set_cells(obj: Object, now: datetime) -> list[Any]:
    status = obj.get("status") or {}
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady",
              "updatedNumberScheduled", "numberAvailable")  # fmt: skip
    return [
        name_of(obj),
        *(status.get(count) or 0 for count in counts),
        labels(dig(obj, "spec", "template", "spec", "nodeSelector")),
        age(obj, now),
        *template_cells(obj),
        selector(dig(obj, "spec", "selector")),
    ]


def _stateful_set_cells(obj: Object, now: datetime) -> list[Any]:
    ready = dig(obj, "status", "readyReplicas", default=0)
    desired = dig(obj, "spec", "replicas", default=0)
    return [name_of(obj), f"{ready}/{desired}", age(obj, now), *template_cells(obj)]


def _revision_cells(obj: Object, now: datetime) -> list[Any]:
    owner = controller_of(obj)
    return [
        name_of(obj),
        _owner_name(owner) if owner else NONE,
        obj.get("revision") or 0,
        age(obj, now),
    ]


def _owner_name(owner: Object) -> str:
    """Return "daemonset.apps/x"."""
    group = str(owner.get("apiVersion") or "").rpartition("/")[0]
    kind = f"{owner.get('kind', '')}.{group}" if group else owner.get("kind", "")
    return f"{kind.lower()}/{owner.get('name', '')}"


CONTROLLERREVISIONS = View(
    (
        NAME,
        Column("Controller", text="The controller whose state this is."),
        Column("Revision", doc="apps.v1.ControllerRevision.revision"),
        AGE,
    ),
    _revision_cells,
)
_DAEMON_STATUS = "apps.v1.DaemonSetStatus"
DAEMONSETS = View(
    (
        NAME,
        Column("Desired", "integer", doc=f"{_DAEMON_STATUS}.desiredNumberScheduled"),
        Column("Current", "integer", doc=f"{_DAEMON_STATUS}.currentNumberScheduled"),
        Column("Ready", "integer", doc=f"{_DAEMON_STATUS}.numberReady"),
        Column("Up-to-date", "integer", doc=f"{_DAEMON_STATUS}.updatedNumberScheduled"),
        Column("Available", "integer", doc=f"{_DAEMON_STATUS}.numberAvailable"),
        Column("Node Selector", doc="core.v1.PodSpec.nodeSelector"),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", priority=WIDE, doc="apps.v1.DaemonSetSpec.selector"),
    ),
    _daemon_set_cells,
)
STATEFULSETS = View(
    (NAME, Column("Ready", text="How many of the wanted pods are ready."), AGE, CONTAINERS, IMAGES),
    _stateful_set_cells,
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
