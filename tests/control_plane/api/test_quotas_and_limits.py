"""Resource quotas, limit ranges, pod templates: defaults, rules and tables."""

import copy
from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.preparation import prepare_for_create, prepare_for_update, strategy_for
from control_plane.api.resources import LIMITRANGES, PODTEMPLATES, RESOURCEQUOTAS, Resource
from tests.control_plane.api.valid_objects import (
    Obj,
    broken,
    cells,
    create_errors,
    named,
    update_errors,
)

POD: Obj = {"containers": [{"name": "c", "image": "i"}]}


def quota(*scopes: str, **hard: str) -> Obj:
    spec: Obj = {"hard": {name.replace("_", "."): amount for name, amount in hard.items()}}
    if scopes:
        spec["scopes"] = list(scopes)
    return named(RESOURCEQUOTAS, spec=spec)


def selected(**requirement: Any) -> Obj:
    selector = {"matchExpressions": [requirement]}
    return named(RESOURCEQUOTAS, spec={"hard": {"pods": "1"}, "scopeSelector": selector})


def limits(kind: str = "Container", **fields: Any) -> Obj:
    return named(LIMITRANGES, spec={"limits": [{"type": kind, **fields}]})


def test_limits_of_containers_complete_each_other() -> None:
    obj = limits(max={"cpu": "2", "memory": "1Gi"}, min={"cpu": "1", "disk": "1"})
    apply_defaults(LIMITRANGES, obj)
    (item,) = obj["spec"]["limits"]
    assert item["default"] == {"cpu": "2", "memory": "1Gi"}
    assert item["defaultRequest"] == {"cpu": "2", "memory": "1Gi", "disk": "1"}
    pod = limits("Pod", max={"cpu": "2"})
    apply_defaults(LIMITRANGES, pod)
    assert pod["spec"]["limits"] == [{"type": "Pod", "max": {"cpu": "2"}}]


def test_a_pod_template_counts_its_changes() -> None:
    obj = named(PODTEMPLATES, template={"spec": POD})
    apply_defaults(PODTEMPLATES, obj)
    assert obj["template"]["spec"]["restartPolicy"] == "Always"
    prepare_for_create(PODTEMPLATES, obj, now="")
    changed = copy.deepcopy(obj)
    changed["template"]["spec"]["restartPolicy"] = "Never"
    prepare_for_update(PODTEMPLATES, changed, obj, now="")
    assert (obj["metadata"]["generation"], changed["metadata"]["generation"]) == (1, 2)


def test_a_put_makes_limits_only() -> None:
    assert strategy_for(LIMITRANGES).create_on_update
    assert not strategy_for(RESOURCEQUOTAS).create_on_update


@pytest.mark.parametrize(
    ("resource", "obj"),
    [
        (RESOURCEQUOTAS, quota(pods="3", limits_cpu="1500m")),
        (RESOURCEQUOTAS, quota("BestEffort", pods="3")),
        (RESOURCEQUOTAS, selected(scopeName="PriorityClass", operator="In", values=["high"])),
        (LIMITRANGES, limits(max={"cpu": "2"}, min={"cpu": "1"}, default={"cpu": "2"})),
        (LIMITRANGES, limits("PersistentVolumeClaim", max={"storage": "1Gi"})),
        (PODTEMPLATES, named(PODTEMPLATES, template={"spec": POD})),
    ],
    ids=str,
)
def test_a_plain_object_is_valid(resource: Resource, obj: Obj) -> None:
    assert create_errors(resource, obj) == []
    assert update_errors(resource, obj, obj) == []


E = "spec.scopeSelector.matchExpressions"
L = "spec.limits[0]"
BROKEN = [
    *broken(
        RESOURCEQUOTAS,
        (
            quota(horses="1"),
            'spec.hard[horses]: Invalid value: "horses": must be a standard resource for quota',
        ),
        (quota(pods="1500m"), 'spec.hard[pods]: Invalid value: "1500m": must be an integer'),
        (
            quota(cpu="-1"),
            'spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0',
        ),
        (quota("Some"), 'spec.scopes: Invalid value: ["Some"]: unsupported scope'),
        (
            quota("BestEffort", cpu="1"),
            'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
        ),
        (
            quota("Terminating", "NotTerminating"),
            'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes',
        ),
        (
            selected(scopeName="BestEffort", operator="In", values=["a"]),
            f"{E}.operator: Invalid value: \"In\": must be 'Exists' when scope is any of "
            "ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
            "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
            "ResourceQuotaScopeCrossNamespacePodAffinity",
        ),
        (
            selected(scopeName="PriorityClass", operator="In"),
            f"{E}.values: Required value: must be at least one value when `operator` is 'In' or "
            "'NotIn' for scope selector",
        ),
        (
            selected(scopeName="PriorityClass", operator="Exists", values=["a"]),
            f"{E}.values: Invalid value: [\"a\"]: must be no value when `operator` is 'Exist' or "
            "'DoesNotExist' for scope selector",
        ),
        (
            selected(scopeName="PriorityClass", operator="Near"),
            f'{E}.operator: Invalid value: "Near": not a valid selector operator',
        ),
    ),
    *broken(
        LIMITRANGES,
        (
            limits("Horse"),
            f'{L}.type: Invalid value: "Horse": must be a standard limit type or fully qualified',
        ),
        (
            named(LIMITRANGES, spec={"limits": [{"type": "Pod"}, {"type": "Pod"}]}),
            'spec.limits[1].type: Duplicate value: "Pod"',
        ),
        (
            limits("Pod", default={"cpu": "1"}),
            f"{L}.default: Forbidden: may not be specified when `type` is 'Pod'",
        ),
        (
            limits("PersistentVolumeClaim"),
            f"{L}.limits: Required value: either minimum or maximum storage value is required, but "
            "neither was provided",
        ),
        (
            limits(min={"cpu": "2"}, max={"cpu": "1"}),
            f'{L}.min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
        ),
        (
            limits(min={"cpu": "2"}, defaultRequest={"cpu": "1"}),
            f'{L}.defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default '
            "request value 1",
        ),
        (
            limits(defaultRequest={"cpu": "2"}, default={"cpu": "1"}),
            f'{L}.defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than '
            "default limit value 1",
        ),
        (
            limits(default={"cpu": "3"}, max={"cpu": "1"}),
            f'{L}.default[cpu]: Invalid value: "1": default value 3 is greater than max value 1',
        ),
        (
            limits(maxLimitRequestRatio={"cpu": "500m"}),
            f'{L}.maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
        ),
        (
            limits(maxLimitRequestRatio={"cpu": "5"}, min={"cpu": "1"}, max={"cpu": "4"}),
            f'{L}.maxLimitRequestRatio[cpu]: Invalid value: "5": ratio 5 is greater than max/min = '
            "4.000000",
        ),
        (
            limits(default={"a.example/gpu": "2"}, defaultRequest={"a.example/gpu": "1"}),
            f'{L}.defaultRequest[a.example/gpu]: Invalid value: "1": default value 2 must equal to '
            "defaultRequest value 1 in a.example/gpu",
        ),
    ),
    *broken(
        PODTEMPLATES,
        (named(PODTEMPLATES, template={"spec": {}}), "template.spec.containers: Required value"),
    ),
]


@pytest.mark.parametrize(("resource", "obj", "message"), BROKEN)
def test_a_broken_field_is_named(resource: Resource, obj: Obj, message: str) -> None:
    assert message in create_errors(resource, obj)


def test_the_scopes_of_a_quota_stay_as_a_set() -> None:
    old = quota("NotBestEffort", "Terminating", pods="1")
    assert update_errors(RESOURCEQUOTAS, quota("Terminating", "NotBestEffort", pods="2"), old) == []
    assert update_errors(RESOURCEQUOTAS, quota("Terminating", pods="1"), old) == [
        'spec.scopes: Invalid value: ["Terminating"]: field is immutable'
    ]


def test_a_quotas_status_holds_amounts() -> None:
    new = {**quota(pods="1"), "status": {"used": {"pods": "-1"}}}
    assert update_errors(RESOURCEQUOTAS, new, quota(pods="1"), "status") == [
        'status.used[pods]: Invalid value: "-1": must be greater than or equal to 0'
    ]


def test_tables() -> None:
    status = {"hard": {"pods": "3", "limits.cpu": "2", "cpu": "1"}, "used": {"pods": "1"}}
    assert cells(RESOURCEQUOTAS, {"status": status}) == [
        ("Name", "x"), ("Request", "cpu: 0/1, pods: 1/3"), ("Limit", "limits.cpu: 0/2"),
        ("Age", "2d"),
    ]  # fmt: skip
    assert cells(LIMITRANGES, {})[1][0] == "Created At"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
    assert cells(PODTEMPLATES, {"template": template}) == [
        ("Name", "x"), ("Containers", "c"), ("Images", "i"), ("Pod Labels", "a=b"),
    ]  # fmt: skip
