"""Daemon sets, stateful sets and controller revisions: defaults, preparation, rules, tables."""

import copy
from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.preparation import prepare_for_create, prepare_for_update
from control_plane.api.resources import CONTROLLERREVISIONS, DAEMONSETS, STATEFULSETS, Resource
from tests.control_plane.api.valid_objects import (
    Obj,
    broken,
    cells,
    complete,
    create_errors,
    named,
    update_errors,
)

NOW = "2026-01-01T00:00:00Z"
LABELS = {"app": "x"}
TEMPLATE: Obj = {
    "metadata": {"labels": LABELS},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}
COUNT = "deprecated.daemonset.template.generation"


def workload(resource: Resource, **spec: Any) -> Obj:
    fields = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE, **spec}
    return named(resource, spec={key: value for key, value in fields.items() if value is not None})


def daemon_set(**spec: Any) -> Obj:
    return workload(DAEMONSETS, **spec)


def stateful_set(**spec: Any) -> Obj:
    return workload(STATEFULSETS, **spec)


def revision(**fields: Any) -> Obj:
    return named(CONTROLLERREVISIONS, **fields)


def rolling(**fields: Any) -> Obj:
    return daemon_set(updateStrategy={"type": "RollingUpdate", "rollingUpdate": fields})


def defaulted(resource: Resource, obj: Obj) -> Obj:
    apply_defaults(resource, obj)
    spec: Obj = obj["spec"]
    return {key: value for key, value in spec.items() if key not in ("template", "selector")}


def test_defaults_of_a_daemon_set() -> None:
    assert defaulted(DAEMONSETS, daemon_set()) == {
        "updateStrategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
        },
        "revisionHistoryLimit": 10,
    }
    on_delete = defaulted(DAEMONSETS, daemon_set(updateStrategy={"type": "OnDelete"}))
    assert on_delete["updateStrategy"] == {"type": "OnDelete"}


def test_defaults_of_a_stateful_set() -> None:
    claim = {"metadata": {"name": "data"}, "spec": {}}
    assert defaulted(STATEFULSETS, stateful_set(volumeClaimTemplates=[claim])) == {
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data"},
                "spec": {"volumeMode": "Filesystem"},
                "status": {"phase": "Pending"},
            }
        ],
    }
    explicit = stateful_set(updateStrategy={"type": "RollingUpdate"})
    assert defaulted(STATEFULSETS, explicit)["updateStrategy"] == {"type": "RollingUpdate"}


def test_a_daemon_sets_template_is_counted_in_an_annotation() -> None:
    old = complete(DAEMONSETS, daemon_set())
    assert (old["metadata"]["annotations"], old["metadata"]["generation"]) == ({COUNT: "1"}, 1)
    same = copy.deepcopy(old)
    same["metadata"]["annotations"] = {"a": "b", COUNT: "9"}
    prepare_for_update(DAEMONSETS, same, old, now=NOW)
    assert same["metadata"]["annotations"] == {"a": "b", COUNT: "1"}
    other = copy.deepcopy(old)
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "j"
    prepare_for_update(DAEMONSETS, other, old, now=NOW)
    assert other["metadata"]["annotations"] == {COUNT: "2"}
    assert other["metadata"]["generation"] == 2


def test_the_field_of_a_feature_that_is_off_is_dropped() -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
    obj = stateful_set(updateStrategy=strategy)
    prepare_for_create(STATEFULSETS, obj, now=NOW)
    assert obj["spec"]["updateStrategy"]["rollingUpdate"] == {}


@pytest.mark.parametrize(
    ("resource", "obj"),
    [
        (DAEMONSETS, daemon_set()),
        (STATEFULSETS, stateful_set()),
        (CONTROLLERREVISIONS, revision(data={}, revision=1)),
    ],
    ids=["daemon set", "stateful set", "revision"],
)
def test_a_plain_object_is_valid(resource: Resource, obj: Obj) -> None:
    assert create_errors(resource, obj) == []
    assert update_errors(resource, obj, obj) == []


def test_a_pod_may_mount_the_claims_of_its_set() -> None:
    container = {**TEMPLATE["spec"]["containers"][0]}
    container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    template = {**TEMPLATE, "spec": {"containers": [container]}}
    obj = stateful_set(template=template, volumeClaimTemplates=[claim])
    assert create_errors(STATEFULSETS, obj) == []


NEGATIVE = "must be greater than or equal to 0"
U = "spec.updateStrategy"
BROKEN = [
    *broken(
        DAEMONSETS,
        (
            daemon_set(selector=None),
            'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match '
            "template `labels`",
        ),
        (
            daemon_set(selector={}),
            "spec.selector: Invalid value: {}: empty selector is invalid for daemonset",
        ),
        (
            daemon_set(
                template={**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
            ),
            'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: '
            '"Always"',
        ),
        (
            daemon_set(
                template={**TEMPLATE, "spec": {**TEMPLATE["spec"], "activeDeadlineSeconds": 5}}
            ),
            "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in "
            "DaemonSet is not Supported",
        ),
        (
            daemon_set(updateStrategy={"type": "Slow"}),
            f'{U}: Unsupported value: {{"Type":"Slow","RollingUpdate":null}}: supported values: '
            '"RollingUpdate", "OnDelete"',
        ),
        (
            rolling(maxUnavailable=1, maxSurge=1),
            f"{U}.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is "
            "non-zero",
        ),
        (
            rolling(maxUnavailable=0),
            f"{U}.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
        ),
        (
            rolling(maxUnavailable="101%"),
            f'{U}.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than '
            "100%",
        ),
        (
            daemon_set(minReadySeconds=-1),
            f"spec.minReadySeconds: Invalid value: -1: {NEGATIVE}",
        ),
        (
            daemon_set(revisionHistoryLimit=-1),
            f"spec.revisionHistoryLimit: Invalid value: -1: {NEGATIVE}",
        ),
    ),
    *broken(
        STATEFULSETS,
        (stateful_set(selector=None), "spec.selector: Required value"),
        (
            stateful_set(selector=None),
            'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match '
            "template `labels`",
        ),
        (
            stateful_set(selector={}),
            "spec.selector: Invalid value: {}: empty selector is invalid for statefulset",
        ),
        (
            stateful_set(podManagementPolicy="All"),
            "spec.podManagementPolicy: Invalid value: \"All\": must be 'OrderedReady' or "
            "'Parallel'",
        ),
        (
            stateful_set(updateStrategy={"type": "Slow"}),
            f'{U}: Invalid value: {{"Type":"Slow","RollingUpdate":null}}: must be '
            "'RollingUpdate' or 'OnDelete'",
        ),
        (
            stateful_set(updateStrategy={"type": "OnDelete", "rollingUpdate": {"partition": 1}}),
            f'{U}.rollingUpdate: Invalid value: {{"Partition":1,"MaxUnavailable":null}}: only '
            "allowed for updateStrategy 'RollingUpdate'",
        ),
        (
            stateful_set(
                updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": -1}}
            ),
            f"{U}.rollingUpdate.partition: Invalid value: -1: {NEGATIVE}",
        ),
        (
            stateful_set(persistentVolumeClaimRetentionPolicy={"whenScaled": "Keep"}),
            'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": '
            'supported values: "Delete", "Retain"',
        ),
        (stateful_set(replicas=-1), f"spec.replicas: Invalid value: -1: {NEGATIVE}"),
        (
            stateful_set(ordinals={"start": -1}),
            f"spec.ordinals.start: Invalid value: -1: {NEGATIVE}",
        ),
        (
            stateful_set(serviceName="a.b"),
            'spec.serviceName: Invalid value: "a.b": must not contain dots',
        ),
        (
            stateful_set(volumeClaimTemplates=[{"metadata": {"name": "data"}}]),
            "spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode "
            "is required",
        ),
        (
            {**stateful_set(), "metadata": {"name": "a.b", "namespace": "default"}},
            'metadata.name: Invalid value: "a.b": must not contain dots',
        ),
    ),
    *broken(
        CONTROLLERREVISIONS,
        (revision(revision=1), "data: Required value: data is mandatory"),
        (revision(data={}, revision=-1), f"revision: Invalid value: -1: {NEGATIVE}"),
    ),
]


@pytest.mark.parametrize(("resource", "obj", "message"), BROKEN)
def test_a_broken_field_is_named(resource: Resource, obj: Obj, message: str) -> None:
    assert message in create_errors(resource, obj)


UPDATES: list[tuple[Resource, Obj, Obj, str, list[str]]] = [
    (
        DAEMONSETS,
        daemon_set(selector={"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
        daemon_set(),
        "",
        [
            'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Exists"}]}'
            ": field is immutable"
        ],
    ),
    (DAEMONSETS, daemon_set(minReadySeconds=3), daemon_set(), "", []),
    (
        DAEMONSETS,
        {**daemon_set(), "status": {"numberReady": -1}},
        daemon_set(),
        "status",
        [f"status.numberReady: Invalid value: -1: {NEGATIVE}"],
    ),
    (STATEFULSETS, stateful_set(replicas=3, ordinals={"start": 1}), stateful_set(), "", []),
    (
        STATEFULSETS,
        stateful_set(serviceName="other"),
        stateful_set(),
        "",
        [
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', "
            "'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
            "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        ],
    ),
    (
        STATEFULSETS,
        {**stateful_set(), "status": {"replicas": 1, "readyReplicas": 1, "currentReplicas": 2}},
        stateful_set(),
        "status",
        ["status.currentReplicas: Invalid value: 2: cannot be greater than status.replicas"],
    ),
    (
        CONTROLLERREVISIONS,
        revision(data={"a": 1}, revision=2),
        revision(data={}, revision=1),
        "",
        ['data: Invalid value: {"a":1}: field is immutable'],
    ),
]


@pytest.mark.parametrize(("resource", "new", "old", "subresource", "expected"), UPDATES)
def test_updates(
    resource: Resource, new: Obj, old: Obj, subresource: str, expected: list[str]
) -> None:
    assert update_errors(resource, new, old, subresource) == expected


def test_tables() -> None:
    assert cells(DAEMONSETS, {**daemon_set(), "status": {"numberReady": 2}}) == [
        ("Name", "x"), ("Desired", 0), ("Current", 0), ("Ready", 2), ("Up-to-date", 0),
        ("Available", 0), ("Node Selector", "<none>"), ("Age", "2d"), ("Containers*", "c"),
        ("Images*", "i"), ("Selector*", "app=x"),
    ]  # fmt: skip
    ready = {**stateful_set(replicas=3), "status": {"readyReplicas": 1}}
    assert cells(STATEFULSETS, ready) == [
        ("Name", "x"), ("Ready", "1/3"), ("Age", "2d"), ("Containers*", "c"), ("Images*", "i"),
    ]  # fmt: skip
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "controller": True}
    owned = {"metadata": {"ownerReferences": [owner]}, "revision": 3}
    assert cells(CONTROLLERREVISIONS, owned) == [
        ("Name", "x"), ("Controller", "daemonset.apps/d"), ("Revision", 3), ("Age", "2d"),
    ]  # fmt: skip
    assert cells(CONTROLLERREVISIONS, {})[1] == ("Controller", "<none>")
