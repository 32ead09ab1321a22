"""Autoscalers: defaults of both versions, rules, and the table."""

from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.resources import (
    EVENTS_V1,
    HORIZONTALPODAUTOSCALERS,
    HORIZONTALPODAUTOSCALERS_V1,
)
from tests.control_plane.api.valid_objects import (
    Obj,
    cells,
    create_errors,
    named,
    update_errors,
)

TARGET = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
USE = {"type": "Utilization", "averageUtilization": 50}


def autoscaler(**spec: Any) -> Obj:
    fields = {"scaleTargetRef": TARGET, "maxReplicas": 3, **spec}
    return named(HORIZONTALPODAUTOSCALERS, spec=fields)


def measured(kind: str = "Resource", **members: Any) -> Obj:
    return autoscaler(metrics=[{"type": kind, **members}])


def scaling_up(**rules: Any) -> Obj:
    policies = [{"type": "Pods", "value": 1, "periodSeconds": 5}]
    return autoscaler(behavior={"scaleUp": {"policies": policies, **rules}})


def test_defaults() -> None:
    obj = autoscaler(behavior={})
    apply_defaults(HORIZONTALPODAUTOSCALERS, obj)
    assert obj["spec"]["minReplicas"] == 1
    (metric,) = obj["spec"]["metrics"]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 80}
    double = {"type": "Percent", "value": 100, "periodSeconds": 15}
    assert obj["spec"]["behavior"] == {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, double],
        },
        "scaleDown": {"selectPolicy": "Max", "policies": [double]},
    }
    older = autoscaler()
    apply_defaults(HORIZONTALPODAUTOSCALERS_V1, older)
    assert older["spec"] == {"scaleTargetRef": TARGET, "maxReplicas": 3, "minReplicas": 1}


def test_a_plain_autoscaler_is_valid_in_both_versions() -> None:
    assert create_errors(HORIZONTALPODAUTOSCALERS, autoscaler()) == []
    assert create_errors(HORIZONTALPODAUTOSCALERS_V1, autoscaler()) == []


M = "spec.metrics[0]"
RATE = {"metric": {"name": "rate"}, "target": {"type": "Value"}}
BROKEN: list[tuple[Obj, str]] = [
    (
        autoscaler(minReplicas=0),
        "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
    ),
    (
        autoscaler(minReplicas=4),
        "spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`",
    ),
    (
        autoscaler(scaleTargetRef={**TARGET, "name": ""}),
        "spec.scaleTargetRef.name: Required value",
    ),
    (
        autoscaler(scaleTargetRef={**TARGET, "apiVersion": "v1"}),
        'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
    ),
    (
        measured(""),
        f"{M}.type: Required value: must specify a metric source type",
    ),
    (
        measured("Horse"),
        f'{M}.type: Unsupported value: "Horse": supported values: "ContainerResource", '
        '"External", "Object", "Pods", "Resource"',
    ),
    (
        measured(),
        f"{M}.resource: Required value: must populate information for the given metric source",
    ),
    (
        measured(resource={"name": "cpu", "target": USE}, pods=RATE),
        f"{M}.pods: Forbidden: must populate the given metric source only",
    ),
    (
        measured(resource={"target": USE}),
        f"{M}.resource.name: Required value: must specify a resource name",
    ),
    (
        measured(resource={"name": "cpu", "target": {"type": "Utilization"}}),
        f"{M}.resource.target.averageUtilization: Required value: must set either a target raw "
        "value or a target utilization",
    ),
    (
        measured("Pods", pods=RATE),
        f"{M}.pods.target.averageValue: Required value: must specify a positive target "
        "averageValue",
    ),
    (
        measured("External", external=RATE),
        f"{M}.external.target.averageValue: Required value: must set either a target value for "
        "metric or a per-pod target",
    ),
    (
        measured("Object", object={**RATE, "describedObject": TARGET}),
        f"{M}.object.target.averageValue: Required value: must set either a target value or "
        "averageValue",
    ),
    (
        measured("Pods", pods={"metric": {}, "target": {"type": "Some", "averageValue": "-1"}}),
        f'{M}.pods.target.type: Invalid value: "Some": must be either Utilization, Value, or '
        "AverageValue",
    ),
    (
        scaling_up(stabilizationWindowSeconds=3601),
        "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than "
        "or equal to 3600",
    ),
    (
        scaling_up(policies=[]),
        "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy",
    ),
    (
        scaling_up(selectPolicy="Some"),
        'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Some": supported values: '
        '"Disabled", "Max", "Min"',
    ),
    (
        scaling_up(policies=[{"type": "Pods", "value": 0, "periodSeconds": 1801}]),
        "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than "
        "or equal to 1800",
    ),
]


@pytest.mark.parametrize(("obj", "message"), BROKEN)
def test_a_broken_field_is_named(obj: Obj, message: str) -> None:
    assert message in create_errors(HORIZONTALPODAUTOSCALERS, obj)


def test_what_is_stored_may_stay() -> None:
    stored = autoscaler(scaleTargetRef={**TARGET, "apiVersion": "v1"})
    assert update_errors(HORIZONTALPODAUTOSCALERS, stored, stored) == []


def test_the_table_shows_targets_in_both_versions() -> None:
    resource = {"name": "cpu", "target": USE}
    memory = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}
    metrics = [
        {"type": "Resource", "resource": resource},
        {"type": "Resource", "resource": memory},
        {"type": "Pods", "pods": RATE},
    ]
    assert cells(HORIZONTALPODAUTOSCALERS, autoscaler(metrics=metrics)) == [
        ("Name", "x"), ("Reference", "Deployment/d"),
        ("Targets", "cpu: <unknown>/50%, memory: <unknown>/1Gi + 1 more..."),
        ("MinPods", "<unset>"), ("MaxPods", 3), ("Replicas", 0), ("Age", "2d"),
    ]  # fmt: skip
    older = {
        **autoscaler(targetCPUUtilizationPercentage=50, minReplicas=1),
        "apiVersion": "autoscaling/v1",
        "status": {"currentCPUUtilizationPercentage": 9},
    }
    shown = dict(cells(HORIZONTALPODAUTOSCALERS_V1, older))
    assert (shown["Targets"], shown["MinPods"]) == ("cpu: 9%/50%", "1")


EVENT: Obj = {
    **named(EVENTS_V1),
    "eventTime": "2026-01-01T00:00:00.000000Z",
    "type": "Normal",
    "regarding": {"namespace": "default"},
    "reason": "Test",
    "action": "Testing",
    "reportingController": "test",
    "reportingInstance": "test-1",
}


def test_a_plain_event_of_the_newer_group_is_valid() -> None:
    assert create_errors(EVENTS_V1, EVENT) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eventTime": None}, "eventTime: Required value"),
        ({"type": "Bad"}, 'type: Invalid value: "": has invalid value: Bad'),
        ({"deprecatedCount": 1}, 'count: Invalid value: "": needs to be unset'),
        ({"series": {"count": 1}}, 'series.count: Invalid value: "": should be at least 2'),
        ({"reportingController": ""}, "reportingController: Required value"),
    ],
)
def test_a_broken_event_is_refused(change: Obj, message: str) -> None:
    assert message in create_errors(EVENTS_V1, {**EVENT, **change})


def test_an_event_of_the_newer_group_stays() -> None:
    assert update_errors(EVENTS_V1, {**EVENT, "reason": "Other"}, EVENT) == [
        'reason: Invalid value: "Other": field is immutable'
    ]
    series = {"count": 2, "lastObservedTime": "2026-01-01T00:00:09.000000Z"}
    assert update_errors(EVENTS_V1, {**EVENT, "series": series}, EVENT) == []


def test_the_table_of_events_is_the_same_for_both_groups() -> None:
    newer = {"apiVersion": "events.k8s.io/v1", "note": "text", "regarding": {"kind": "Pod"}}
    shown = dict(cells(EVENTS_V1, newer))
    assert (shown["Message"], shown["Object"]) == ("text", "pod")
