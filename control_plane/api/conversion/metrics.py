"""Metrics of autoscalers: the form that annotations of autoscaling/v1 hold, and that of v2.

A metric is {"type": T, MEMBER: {...}} with T's own member. Called by autoscaling.py. Whatever does
not have the right form comes out empty; the caller checks the result's types.
Source: v1.35 autoscaling/v1 conversion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from control_plane.api.objects import Object

# By member: the v1 names of (value, average value, average utilization), in a target and in a
# status. "" where that kind of metric has none.
_TARGETS: Final = {
    "resource": ("", "targetAverageValue", "targetAverageUtilization"),
    "containerResource": ("", "targetAverageValue", "targetAverageUtilization"),
    "pods": ("", "targetAverageValue", ""),
    "object": ("targetValue", "averageValue", ""),
    "external": ("targetValue", "targetAverageValue", ""),
}
_CURRENTS: Final = {
    "resource": ("", "currentAverageValue", "currentAverageUtilization"),
    "containerResource": ("", "currentAverageValue", "currentAverageUtilization"),
    "pods": ("", "currentAverageValue", ""),
    "object": ("currentValue", "averageValue", ""),
    "external": ("currentValue", "currentAverageValue", ""),
}
_V2_VALUES: Final = ("value", "averageValue", "averageUtilization")
_TYPES: Final = {"value": "Value", "averageValue": "AverageValue",
                 "averageUtilization": "Utilization"}  # fmt: skip
_NAMED: Final = ("name", "container")


def spec_of_v1(metric: Any) -> Object:
    """Return the v2 form of a metric of a spec."""
    return _of_v1(metric, "target", _TARGETS)


def status_of_v1(metric: Any) -> Object:
    """Return the v2 form of a metric of a status."""
    return _of_v1(metric, "current", _CURRENTS)


def spec_to_v1(metric: Object) -> Object:
    """Return the v1 form of a metric of a spec."""
    return _to_v1(metric, "target", _TARGETS)


def status_to_v1(metric: Object) -> Object:
    """Return the v1 form of a metric of a status."""
    return _to_v1(metric, "current", _CURRENTS)


def _map(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _of_v1(metric: Any, amounts: str, names: dict[str, tuple[str, str, str]]) -> Object:
    given = _map(metric)
    made: Object = {"type": given.get("type", "")}
    for member, fields in names.items():
        old = given.get(member)
        if not isinstance(old, dict):
            continue
        values = {
            v2: old[v1] for v2, v1 in zip(_V2_VALUES, fields, strict=True) if v1 and v1 in old
        }
        if amounts == "target":
            values["type"] = _TYPES[next(reversed(values), "averageValue")]
        made[member] = {**_subject_of_v1(member, old), amounts: values}
    return made


def _subject_of_v1(member: str, old: Object) -> Object:
    """Return what is measured: a resource's name, or a metric, and of which object."""
    if member in ("resource", "containerResource"):
        return {field: old[field] for field in _NAMED if field in old}
    selector = "metricSelector" if member == "external" else "selector"
    metric = {"name": old.get("metricName", "")}
    if selector in old:
        metric["selector"] = old[selector]
    of = {"describedObject": old.get("target", {})} if member == "object" else {}
    return {**of, "metric": metric}


def _to_v1(metric: Object, amounts: str, names: dict[str, tuple[str, str, str]]) -> Object:
    made: Object = {"type": metric.get("type", "")}
    for member, fields in names.items():
        new = metric.get(member)
        if not isinstance(new, dict):
            continue
        values = _map(new.get(amounts))
        made[member] = {
            **_subject_to_v1(member, new),
            **{v1: values[v2] for v2, v1 in zip(_V2_VALUES, fields, strict=True)
               if v1 and values.get(v2) is not None},
        }  # fmt: skip
    return made


def _subject_to_v1(member: str, new: Object) -> Object:
    if member in ("resource", "containerResource"):
        return {field: new[field] for field in _NAMED if field in new}
    metric = _map(new.get("metric"))
    selector = "metricSelector" if member == "external" else "selector"
    made: Object = {"target": new.get("describedObject", {})} if member == "object" else {}
    made["metricName"] = metric.get("name", "")
    if metric.get("selector") is not None:
        made[selector] = metric["selector"]
    return made
