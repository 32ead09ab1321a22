"""Types stored in another version: what is said in one is said in the other, and comes back."""

import json
from typing import Any

import pytest

from control_plane.api.conversion import CONVERSIONS, conversion_for
from control_plane.api.errors import BadRequest
from control_plane.api.resources import (
    EVENTS_V1,
    HORIZONTALPODAUTOSCALERS_V1,
    OFF_BY_DEFAULT,
    RESOURCES,
    Resource,
)

PREFIX = "autoscaling.alpha.kubernetes.io/"
TARGET = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
METADATA = {"name": "x", "namespace": "default"}
Obj = dict[str, Any]


def cpu(utilization: int) -> Obj:
    target = {"type": "Utilization", "averageUtilization": utilization}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def to_stored(resource: Resource, obj: Obj) -> Obj:
    conversion = conversion_for(resource)
    assert conversion is not None
    return conversion.to_stored({**obj, "apiVersion": resource.api_version, "kind": resource.kind})


def from_stored(resource: Resource, obj: Obj) -> Obj:
    conversion = conversion_for(resource)
    assert conversion is not None
    return conversion.from_stored(obj)


def v2(*metrics: Obj, **spec: Any) -> Obj:
    fields = {"scaleTargetRef": TARGET, "maxReplicas": 3, "metrics": list(metrics), **spec}
    identity = {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2"}
    return {**identity, "metadata": METADATA, "spec": fields, "status": {}}


def test_every_row_that_is_stored_as_another_has_a_conversion() -> None:
    rows = (*RESOURCES, *OFF_BY_DEFAULT)
    stored = {(r.group, r.version, r.kind) for r in rows if r.stored_as is not None}
    assert stored == CONVERSIONS.keys()


def test_the_cpu_target_is_a_metric() -> None:
    spec = {"scaleTargetRef": TARGET, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}
    stored = to_stored(HORIZONTALPODAUTOSCALERS_V1, {"metadata": METADATA, "spec": spec})
    assert stored["apiVersion"] == "autoscaling/v2"
    assert stored["spec"] == {"scaleTargetRef": TARGET, "maxReplicas": 3, "metrics": [cpu(50)]}
    assert from_stored(HORIZONTALPODAUTOSCALERS_V1, stored)["spec"] == spec


def test_without_a_target_it_is_80_percent() -> None:
    spec = {"scaleTargetRef": TARGET, "maxReplicas": 3}
    stored = to_stored(HORIZONTALPODAUTOSCALERS_V1, {"metadata": METADATA, "spec": spec})
    assert stored["spec"]["metrics"] == [cpu(80)]


METRIC = {"name": "rate", "selector": {"matchLabels": {"a": "b"}}}
METRICS: list[tuple[Obj, Obj]] = [
    (
        {
            "type": "Resource",
            "resource": {
                "name": "memory",
                "target": {"type": "AverageValue", "averageValue": "1Gi"},
            },
        },
        {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "1Gi"}},
    ),
    (
        {
            "type": "ContainerResource",
            "containerResource": {
                "name": "cpu",
                "container": "c",
                "target": {"type": "Utilization", "averageUtilization": 70},
            },
        },
        {
            "type": "ContainerResource",
            "containerResource": {
                "name": "cpu",
                "container": "c",
                "targetAverageUtilization": 70,
            },
        },
    ),
    (
        {
            "type": "Pods",
            "pods": {"metric": METRIC, "target": {"type": "AverageValue", "averageValue": "5"}},
        },
        {
            "type": "Pods",
            "pods": {
                "metricName": "rate",
                "selector": METRIC["selector"],
                "targetAverageValue": "5",
            },
        },
    ),
    (
        {
            "type": "Object",
            "object": {
                "describedObject": TARGET,
                "metric": {"name": "rate"},
                "target": {"type": "Value", "value": "7"},
            },
        },
        {"type": "Object", "object": {"target": TARGET, "metricName": "rate", "targetValue": "7"}},
    ),
    (
        {
            "type": "External",
            "external": {"metric": METRIC, "target": {"type": "AverageValue", "averageValue": "5"}},
        },
        {
            "type": "External",
            "external": {
                "metricName": "rate",
                "metricSelector": METRIC["selector"],
                "targetAverageValue": "5",
            },
        },
    ),
]


@pytest.mark.parametrize(("metric", "annotated"), METRICS)
def test_other_metrics_travel_in_an_annotation(metric: Obj, annotated: Obj) -> None:
    stored = v2(cpu(50), metric)
    served = from_stored(HORIZONTALPODAUTOSCALERS_V1, stored)
    assert served["spec"]["targetCPUUtilizationPercentage"] == 50
    assert json.loads(served["metadata"]["annotations"][f"{PREFIX}metrics"]) == [annotated]
    assert to_stored(HORIZONTALPODAUTOSCALERS_V1, served) == stored


def test_behavior_conditions_and_current_metrics_travel_too() -> None:
    stored = v2(cpu(50), behavior={"scaleUp": {"selectPolicy": "Max"}})
    condition = {"type": "AbleToScale", "status": "True"}
    current = {
        "type": "Resource",
        "resource": {"name": "cpu", "current": {"averageUtilization": 9}},
    }
    stored["status"] = {"conditions": [condition], "currentMetrics": [current]}
    served = from_stored(HORIZONTALPODAUTOSCALERS_V1, stored)
    assert served["status"] == {"currentCPUUtilizationPercentage": 9}
    assert set(served["metadata"]["annotations"]) == {
        f"{PREFIX}behavior", f"{PREFIX}conditions", f"{PREFIX}current-metrics",
    }  # fmt: skip
    assert to_stored(HORIZONTALPODAUTOSCALERS_V1, served) == stored


@pytest.mark.parametrize(
    "text",
    ["{", "{}", '[{"type":1}]', '[{"type":"Pods","pods":{"metricName":5}}]', "[" * 100000],
)
def test_an_annotation_that_makes_no_sense_is_refused(text: str) -> None:
    metadata = {**METADATA, "annotations": {f"{PREFIX}metrics": text}}
    with pytest.raises(BadRequest):
        to_stored(HORIZONTALPODAUTOSCALERS_V1, {"metadata": metadata, "spec": {}})


def test_an_event_has_other_names_for_the_same() -> None:
    event = {
        "metadata": METADATA, "note": "text", "regarding": {"kind": "Pod"}, "reason": "Test",
        "reportingController": "c", "deprecatedCount": 2, "deprecatedSource": {"host": "h"},
        "kind": "Event", "apiVersion": "events.k8s.io/v1",
    }  # fmt: skip
    stored = to_stored(EVENTS_V1, event)
    assert stored == {
        "metadata": METADATA, "message": "text", "involvedObject": {"kind": "Pod"},
        "reason": "Test", "reportingComponent": "c", "count": 2, "source": {"host": "h"},
        "kind": "Event", "apiVersion": "v1",
    }  # fmt: skip
    assert from_stored(EVENTS_V1, stored) == event
