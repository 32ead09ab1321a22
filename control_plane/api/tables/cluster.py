"""The tables of what a cluster's administrators set up: classes, quotas, budgets, templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.objects import Object, dig, name_of
from control_plane.api.tables.columns import AGE, NAME, Column, View
from control_plane.api.tables.rendering import age, container_images, container_names, labels

if TYPE_CHECKING:
    from datetime import datetime


def _priority_cells(obj: Object, now: datetime) -> list[Any]:
    return [
        name_of(obj),
        obj.get("value") or 0,
        bool(obj.get("globalDefault")),
        age(obj, now),
        obj.get("preemptionPolicy") or "",
    ]


def _component_cells(obj: Object, _now: datetime) -> list[Any]:
    conditions = dig(obj, "conditions", default=[])
    healthy = next((c for c in conditions if c.get("type") == "Healthy"), None)
    if healthy is None:
        return [name_of(obj), "Unknown", "", ""]
    state = "Healthy" if healthy.get("status") == "True" else "Unhealthy"
    return [name_of(obj), state, healthy.get("message") or "", healthy.get("error") or ""]


def _runtime_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), obj.get("handler") or "", age(obj, now)]


def _quota_cells(obj: Object, now: datetime) -> list[Any]:
    hard, used = (dig(obj, "status", field, default={}) for field in ("hard", "used"))
    shown = {name: f"{name}: {used.get(name, 0)}/{hard[name]}" for name in sorted(hard)}
    requests = [text for name, text in shown.items() if not name.startswith("limits.")]
    limits = [text for name, text in shown.items() if name.startswith("limits.")]
    return [name_of(obj), ", ".join(requests), ", ".join(limits), age(obj, now)]


def _budget_cells(obj: Object, now: datetime) -> list[Any]:
    shares = [dig(obj, "spec", field) for field in ("minAvailable", "maxUnavailable")]
    return [
        name_of(obj),
        *("N/A" if share is None else str(share) for share in shares),
        dig(obj, "status", "disruptionsAllowed", default=0),
        age(obj, now),
    ]


def _template_cells(obj: Object, _now: datetime) -> list[Any]:
    pod_spec = dig(obj, "template", "spec", default={})
    pod_labels = dig(obj, "template", "metadata", "labels", default={})
    return [name_of(obj), container_names(pod_spec), container_images(pod_spec), labels(pod_labels)]


PRIORITYCLASSES = View(
    (
        NAME,
        Column("Value", "integer", doc="scheduling.v1.PriorityClass.value"),
        Column("Global-Default", "boolean", doc="scheduling.v1.PriorityClass.globalDefault"),
        AGE,
        Column("PreemptionPolicy", doc="scheduling.v1.PriorityClass.preemptionPolicy"),
    ),
    _priority_cells,
)
RUNTIMECLASSES = View(
    (NAME, Column("Handler", doc="node.v1.RuntimeClass.handler"), AGE), _runtime_cells
)
RESOURCEQUOTAS = View(
    (
        NAME,
        Column("Request", text="What is used of each resource, and how much may be."),
        Column("Limit", text="What is used of each limit, and how much may be."),
        AGE,
    ),
    _quota_cells,
)
PODDISRUPTIONBUDGETS = View(
    (
        NAME,
        Column("Min Available", doc="policy.v1.PodDisruptionBudgetSpec.minAvailable"),
        Column("Max Unavailable", doc="policy.v1.PodDisruptionBudgetSpec.maxUnavailable"),
        Column(
            "Allowed Disruptions",
            "integer",
            doc="policy.v1.PodDisruptionBudgetStatus.disruptionsAllowed",
        ),
        AGE,
    ),
    _budget_cells,
)
PODTEMPLATES = View(
    (
        NAME,
        Column("Containers", text="The names of the template's containers."),
        Column("Images", text="The images of the template's containers."),
        Column("Pod Labels", text="The labels of the template."),
    ),
    _template_cells,
)
COMPONENTSTATUSES = View(
    (
        NAME,
        Column("Status", text="Whether the component is healthy."),
        Column("Message", text="What the component says."),
        Column("Error", text="Why it could not be asked."),
    ),
    _component_cells,
)
