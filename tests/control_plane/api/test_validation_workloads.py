"""Deployments, replica sets and replication controllers, with upstream's paths and texts."""

from typing import Any

import pytest

from control_plane.api.resources import (
    DEPLOYMENTS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    Resource,
)
from tests.control_plane.api.valid_objects import Obj, create_errors, named, update_errors

LABELS = {"app": "d"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


def workload(resource: Resource = DEPLOYMENTS, **spec: Any) -> Obj:
    selector = LABELS if resource is REPLICATIONCONTROLLERS else {"matchLabels": LABELS}
    return named(resource, spec={"selector": selector, "template": TEMPLATE, **spec})


def with_pod(**spec: Any) -> Obj:
    return workload(template={**TEMPLATE, "spec": {**TEMPLATE["spec"], **spec}})  # type: ignore[dict-item]


def rolling(**fields: Any) -> Obj:
    return workload(strategy={"type": "RollingUpdate", "rollingUpdate": fields})


@pytest.mark.parametrize("resource", [DEPLOYMENTS, REPLICASETS, REPLICATIONCONTROLLERS])
def test_a_plain_workload_is_valid(resource: Resource) -> None:
    assert create_errors(resource, workload(resource)) == []


@pytest.mark.parametrize("resource", [DEPLOYMENTS, REPLICASETS])
@pytest.mark.parametrize(
    ("metadata", "shown"), [({"labels": {"a": "b"}}, '{"a":"b"}'), ({}, "null")]
)
def test_without_a_selector_no_labels_fit(resource: Resource, metadata: Obj, shown: str) -> None:
    template = {**TEMPLATE, "metadata": metadata}
    assert create_errors(resource, workload(resource, selector=None, template=template)) == [
        "spec.selector: Required value",
        f"spec.template.metadata.labels: Invalid value: {shown}: `selector` does not match "
        "template `labels`",
    ]


R = "spec.strategy.rollingUpdate"
BROKEN: list[tuple[Resource, Obj, str]] = [
    (
        DEPLOYMENTS,
        workload(replicas=-1),
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
    ),
    (
        DEPLOYMENTS,
        workload(selector={}),
        "spec.selector: Invalid value: {}: empty selector is invalid for deployment",
    ),
    (
        DEPLOYMENTS,
        workload(selector={"matchLabels": {"app": "b"}}),
        'spec.template.metadata.labels: Invalid value: {"app":"d"}: `selector` does not match '
        "template `labels`",
    ),
    (
        DEPLOYMENTS,
        workload(selector={"matchExpressions": [{"key": "a", "operator": "In"}]}),
        "spec.selector.matchExpressions[0].values: Required value: must be specified when "
        "`operator` is 'In' or 'NotIn'",
    ),
    (
        DEPLOYMENTS,
        workload(selector={"matchExpressions": [{"key": "a", "operator": "Near"}]}),
        'spec.selector.matchExpressions[0].operator: Invalid value: "Near": not a valid selector '
        "operator",
    ),
    (
        DEPLOYMENTS,
        with_pod(restartPolicy="Never"),
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ),
    (
        DEPLOYMENTS,
        with_pod(activeDeadlineSeconds=5),
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet "
        "is not Supported",
    ),
    (
        DEPLOYMENTS,
        with_pod(containers=[{"name": "c"}]),
        "spec.template.spec.containers[0].image: Required value",
    ),
    (
        DEPLOYMENTS,
        workload(strategy={"type": "Slow"}),
        'spec.strategy: Unsupported value: {"Type":"Slow","RollingUpdate":null}: supported values: '
        '"Recreate", "RollingUpdate"',
    ),
    (
        DEPLOYMENTS,
        workload(strategy={"type": "Slow", "rollingUpdate": {"maxSurge": "5%"}}),
        'spec.strategy: Unsupported value: {"Type":"Slow","RollingUpdate":{"MaxUnavailable":0,'
        '"MaxSurge":"5%"}}: supported values: "Recreate", "RollingUpdate"',
    ),
    (
        DEPLOYMENTS,
        workload(strategy={"type": "Recreate", "rollingUpdate": {}}),
        f"{R}: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ),
    (
        DEPLOYMENTS,
        rolling(maxUnavailable=0, maxSurge="0%"),
        f"{R}.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
    ),
    (
        DEPLOYMENTS,
        rolling(maxUnavailable="101%"),
        f'{R}.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ),
    (
        DEPLOYMENTS,
        rolling(maxSurge="some"),
        f'{R}.maxSurge: Invalid value: "some": a valid percent string must be a numeric string '
        "followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ),
    (
        DEPLOYMENTS,
        workload(minReadySeconds=600),
        "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds",
    ),
    (
        REPLICATIONCONTROLLERS,
        workload(REPLICATIONCONTROLLERS, template=None),
        "spec.template: Required value",
    ),
    (
        REPLICATIONCONTROLLERS,
        workload(REPLICATIONCONTROLLERS, selector={"app": "b"}),
        'spec.template.metadata.labels: Invalid value: {"app":"d"}: `selector` does not match '
        "template `labels`",
    ),
]


@pytest.mark.parametrize(("resource", "obj", "message"), BROKEN)
def test_a_broken_field_is_named(resource: Resource, obj: Obj, message: str) -> None:
    assert message in create_errors(resource, obj)


@pytest.mark.parametrize("resource", [DEPLOYMENTS, REPLICASETS])
def test_the_selector_stays(resource: Resource) -> None:
    wider = {**LABELS, "more": "x"}
    template = {**TEMPLATE, "metadata": {"labels": wider}}
    new = workload(resource, selector={"matchLabels": wider}, template=template)
    assert update_errors(resource, new, workload(resource)) == [
        'spec.selector: Invalid value: {"matchLabels":{"app":"d","more":"x"}}: field is immutable'
    ]


def test_a_status_counts_consistently() -> None:
    new = {**workload(), "status": {"replicas": 1, "readyReplicas": 2}}
    assert update_errors(DEPLOYMENTS, new, workload(), "status") == [
        "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"
    ]
