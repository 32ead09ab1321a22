"""HorizontalPodAutoscalers: autoscaling/v1 as v2 and back.

v1 knows one metric, the use of CPU. What else a v2 autoscaler says travels in four annotations of
its v1 form, as JSON. Source: v1.35 autoscaling/v1 conversion.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.conversion import metrics
from control_plane.api.errors import BadRequest
from control_plane.api.field_validation import Directive, Expected, decode_object
from control_plane.api.go_syntax import to_json
from control_plane.api.objects import annotations_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from control_plane.api.objects import Object

_PREFIX: Final = "autoscaling.alpha.kubernetes.io/"
METRICS: Final = f"{_PREFIX}metrics"
CURRENT_METRICS: Final = f"{_PREFIX}current-metrics"
CONDITIONS: Final = f"{_PREFIX}conditions"
BEHAVIOR: Final = f"{_PREFIX}behavior"
_CARRIERS: Final = (METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR)
DEFAULT_UTILIZATION: Final = 80
V1, V2 = "autoscaling/v1", "autoscaling/v2"


def cpu_metric(utilization: int) -> Object:
    """Return the v2 metric of the average use of CPU, in percent of what pods request."""
    target = {"type": "Utilization", "averageUtilization": utilization}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def v2_of_v1(autoscaler: Object) -> Object:
    """Return the v2 form; BadRequest when an annotation does not hold what it should."""
    annotations = annotations_of(autoscaler)
    spec, status = dict(autoscaler.get("spec") or {}), dict(autoscaler.get("status") or {})
    wanted = spec.pop("targetCPUUtilizationPercentage", None)
    found = [] if wanted is None else [cpu_metric(wanted)]
    found += _list(annotations, METRICS, metrics.spec_of_v1)
    spec["metrics"] = found or [cpu_metric(DEFAULT_UTILIZATION)]
    if BEHAVIOR in annotations:
        spec["behavior"] = _value(annotations, BEHAVIOR)
    _fill_status(status, annotations)
    made = {**autoscaler, "apiVersion": V2, "spec": spec}
    if status or "status" in autoscaler:
        made["status"] = status
    if not any(carrier in annotations for carrier in _CARRIERS):
        return made
    rest = {key: value for key, value in annotations.items() if key not in _CARRIERS}
    made["metadata"] = {**autoscaler["metadata"], "annotations": rest}
    if not rest:
        del made["metadata"]["annotations"]
    return _typed(made)


def _fill_status(status: Object, annotations: dict[str, str]) -> None:
    used = status.pop("currentCPUUtilizationPercentage", None)
    if CURRENT_METRICS in annotations:
        status["currentMetrics"] = _list(annotations, CURRENT_METRICS, metrics.status_of_v1)
    elif used is not None:
        current = {"averageUtilization": used}
        resource = {"name": "cpu", "current": current}
        status["currentMetrics"] = [{"type": "Resource", "resource": resource}]
    if CONDITIONS in annotations:
        status["conditions"] = _value(annotations, CONDITIONS)


def _value(annotations: dict[str, str], key: str) -> Any:
    try:
        return json.loads(annotations[key])
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the annotation {key} does not hold JSON: {error}") from error


def _list(annotations: dict[str, str], key: str, convert: Callable[[Any], Object]) -> list[Object]:
    if key not in annotations:
        return []
    found = _value(annotations, key)
    if not isinstance(found, list):
        raise BadRequest(f"the annotation {key} does not hold a list")
    return [convert(item) for item in found]


def _typed(autoscaler: Object) -> Object:
    """Return what came out of annotations once every field has been found to be of its type."""
    expected = Expected(V2, "HorizontalPodAutoscaler")
    body = json.dumps({**autoscaler, "kind": "HorizontalPodAutoscaler"}).encode()
    return decode_object(body, expected, Directive.IGNORE).obj


def v1_of_v2(autoscaler: Object) -> Object:
    """Return the v1 form, with annotations for what v1 has no fields for."""
    spec, status = dict(autoscaler.get("spec") or {}), dict(autoscaler.get("status") or {})
    carried = {
        METRICS: [metrics.spec_to_v1(m) for m in spec.get("metrics") or [] if not _is_cpu(m)],
        CURRENT_METRICS: [metrics.status_to_v1(m) for m in status.get("currentMetrics") or []],
        CONDITIONS: status.pop("conditions", None),
        BEHAVIOR: spec.pop("behavior", None),
    }
    for metric in spec.pop("metrics", None) or []:
        if _is_cpu(metric):
            used = metric["resource"]["target"]["averageUtilization"]
            spec["targetCPUUtilizationPercentage"] = used
    for metric in status.pop("currentMetrics", None) or []:
        resource = metric.get("resource") or {}
        used = (resource.get("current") or {}).get("averageUtilization")
        if metric.get("type") == "Resource" and resource.get("name") == "cpu" and used is not None:
            status["currentCPUUtilizationPercentage"] = used
    made = {**autoscaler, "apiVersion": V1, "spec": spec}
    if "status" in autoscaler:
        made["status"] = status
    added = {key: to_json(value) for key, value in carried.items() if value}
    if added:
        annotations = {**annotations_of(autoscaler), **added}
        made["metadata"] = {**autoscaler["metadata"], "annotations": annotations}
    return made


def _is_cpu(metric: Object) -> bool:
    resource = metric.get("resource") or {}
    target = resource.get("target") or {}
    return (
        metric.get("type") == "Resource"
        and resource.get("name") == "cpu"
        and target.get("averageUtilization") is not None
    )
