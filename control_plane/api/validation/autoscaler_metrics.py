"""Rules of the metrics that autoscalers follow.

Called by autoscalers.py. Source: v1.35 autoscaling validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    required,
)
from control_plane.api.validation.labels import validate_selector
from control_plane.api.validation.quantities import amount_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_MEMBERS: Final = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_TARGET_TYPES: Final = ("Utilization", "Value", "AverageValue")


def validate_metrics(found: list[Object], path: str) -> Iterator[FieldError]:
    """Check the metrics of a spec."""
    for index, metric in enumerate(found):
        yield from _validate_metric(metric, f"{path}[{index}]")


def _validate_metric(metric: Object, path: str) -> Iterator[FieldError]:
    kind = metric.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric source type")
    elif kind not in _MEMBERS:
        yield not_supported(f"{path}.type", kind, _MEMBERS)
    expected = _MEMBERS.get(kind, "")
    given = [member for member in _MEMBERS.values() if metric.get(member) is not None]
    for member in given:
        if member != expected and (expected in given or not expected):
            yield forbidden(f"{path}.{member}", "must populate the given metric source only")
        yield from _validate_source(member, metric[member], f"{path}.{member}")
    if expected and expected not in given:
        detail = "must populate information for the given metric source"
        yield required(f"{path}.{expected}", detail)


def _validate_source(member: str, source: Object, path: str) -> Iterator[FieldError]:
    target = source.get("target") or {}
    if member in ("resource", "containerResource"):
        if not source.get("name"):
            yield required(f"{path}.name", "must specify a resource name")
        if member == "containerResource" and not source.get("container"):
            yield required(f"{path}.container", "must specify a container")
        yield from _validate_target(target, f"{path}.target")
        yield from _validate_resource_target(target, f"{path}.target")
        return
    if member == "object":
        yield from _validate_object(source.get("describedObject") or {}, f"{path}.describedObject")
    yield from _validate_identifier(source.get("metric") or {}, f"{path}.metric")
    yield from _validate_target(target, f"{path}.target")
    yield from _validate_value_target(member, target, f"{path}.target")


def _validate_object(described: Object, path: str) -> Iterator[FieldError]:
    for field in ("kind", "name"):
        value = described.get(field) or ""
        if not value:
            yield required(f"{path}.{field}")
        else:
            yield from invalid_each(f"{path}.{field}", value, formats.path_segment(value))


def _validate_identifier(metric: Object, path: str) -> Iterator[FieldError]:
    name = metric.get("name") or ""
    if not name:
        yield required(f"{path}.name", "must specify a metric name")
    else:
        yield from invalid_each(f"{path}.name", name, formats.path_segment(name))
    yield from validate_selector(metric.get("selector"), f"{path}.selector")


def _validate_target(target: Object, path: str) -> Iterator[FieldError]:
    kind = target.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric target type")
    elif kind not in _TARGET_TYPES:
        detail = "must be either Utilization, Value, or AverageValue"
        yield invalid(f"{path}.type", kind, detail)
    for field in ("value", "averageValue"):
        amount = target.get(field)
        if amount is not None and amount_of(amount) <= 0:
            yield invalid(f"{path}.{field}", str(amount), "must be positive")
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        yield invalid(f"{path}.averageUtilization", utilization, "must be greater than 0")


def _validate_resource_target(target: Object, path: str) -> Iterator[FieldError]:
    value, share = target.get("averageValue"), target.get("averageUtilization")
    if share is None and value is None:
        detail = "must set either a target raw value or a target utilization"
        yield required(f"{path}.averageUtilization", detail)
    if share is not None and value is not None:
        detail = "may not set both a target raw value and a target utilization"
        yield forbidden(f"{path}.averageValue", detail)


def _validate_value_target(member: str, target: Object, path: str) -> Iterator[FieldError]:
    value, average = target.get("value"), target.get("averageValue")
    if member == "pods":
        if average is None:
            yield required(f"{path}.averageValue", "must specify a positive target averageValue")
    elif value is None and average is None:
        detail = (
            "must set either a target value or averageValue"
            if member == "object"
            else "must set either a target value for metric or a per-pod target"
        )
        yield required(f"{path}.averageValue", detail)
    elif value is not None and average is not None and member == "external":
        detail = "may not set both a target value for metric and a per-pod target"
        yield forbidden(f"{path}.value", detail)
