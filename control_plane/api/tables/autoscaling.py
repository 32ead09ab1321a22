"""The table of HorizontalPodAutoscalers; those of autoscaling/v1 are shown as v2 has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.conversion.autoscaling import V1, v2_of_v1
from control_plane.api.objects import Object, dig, name_of
from control_plane.api.tables.columns import AGE, NAME, Column, View
from control_plane.api.tables.rendering import NONE, UNKNOWN, UNSET, age

if TYPE_CHECKING:
    from datetime import datetime

_SHOWN_METRICS: Final = 2
_MEMBERS: Final = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def _cells(obj: Object, now: datetime) -> list[Any]:
    if obj.get("apiVersion") == V1:
        obj = v2_of_v1(obj)
    spec = obj.get("spec") or {}
    target = spec.get("scaleTargetRef") or {}
    least = spec.get("minReplicas")
    return [
        name_of(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _targets(spec.get("metrics") or [], dig(obj, "status", "currentMetrics", default=[])),
        UNSET if least is None else str(least),
        spec.get("maxReplicas") or 0,
        dig(obj, "status", "currentReplicas", default=0),
        age(obj, now),
    ]


def _targets(metrics: list[Object], currents: list[Object]) -> str:
    shown = [
        _metric(metric, currents[index] if index < len(currents) else {})
        for index, metric in enumerate(metrics)
    ]
    if not shown:
        return NONE
    rest = len(shown) - _SHOWN_METRICS
    text = ", ".join(shown[:_SHOWN_METRICS])
    return f"{text} + {rest} more..." if rest > 0 else text


def _metric(metric: Object, status: Object) -> str:
    kind = metric.get("type") or ""
    member = _MEMBERS.get(kind)
    if member is None:
        return "<unknown type>"
    target = dig(metric, member, "target", default={})
    current = dig(status, member, "current", default={})
    if kind in ("Resource", "ContainerResource"):
        return f"{dig(metric, member, 'name', default='')}: {_share(target, current)}"
    average = target.get("averageValue")
    if kind == "Pods" or average is None:
        field = "averageValue" if kind == "Pods" else "value"
        return f"{current.get(field, UNKNOWN)}/{target.get(field, '')}"
    return f"{current.get('averageValue', UNKNOWN)}/{average} (avg)"


def _share(target: Object, current: Object) -> str:
    if target.get("averageValue") is not None:
        return f"{current.get('averageValue', UNKNOWN)}/{target['averageValue']}"
    wanted, used = target.get("averageUtilization"), current.get("averageUtilization")
    shown = UNKNOWN if used is None else f"{used}%"
    return f"{shown}/{'<auto>' if wanted is None else f'{wanted}%'}"


_SPEC: Final = "autoscaling.v2.HorizontalPodAutoscalerSpec"
HORIZONTALPODAUTOSCALERS = View(
    (
        NAME,
        Column("Reference", doc=f"{_SPEC}.scaleTargetRef"),
        Column("Targets", doc=f"{_SPEC}.metrics"),
        Column("MinPods", doc=f"{_SPEC}.minReplicas"),
        Column("MaxPods", doc=f"{_SPEC}.maxReplicas"),
        Column("Replicas", doc="autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas"),
        AGE,
    ),
    _cells,
)
