"""Disruption budgets, priority and runtime classes, roles and bindings: all they mean here."""

from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.preparation import strategy_for
from control_plane.api.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    PODDISRUPTIONBUDGETS,
    PRIORITYCLASSES,
    ROLEBINDINGS,
    ROLES,
    RUNTIMECLASSES,
    Resource,
)
from tests.control_plane.api.valid_objects import (
    Obj,
    broken,
    cells,
    complete,
    create_errors,
    named,
    update_errors,
)

GROUP = "rbac.authorization.k8s.io"
READ: Obj = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}


def budget(**spec: Any) -> Obj:
    return named(PODDISRUPTIONBUDGETS, spec=spec)


def priority(name: str = "x", **fields: Any) -> Obj:
    return {"metadata": {"name": name}, **fields}


def runtime(**fields: Any) -> Obj:
    return named(RUNTIMECLASSES, handler="runc", **fields)


def role(*rules: Obj, resource: Resource = ROLES, **fields: Any) -> Obj:
    return named(resource, rules=list(rules), **fields)


def binding(*subjects: Obj, resource: Resource = ROLEBINDINGS, **reference: str) -> Obj:
    role_ref = {"kind": "ClusterRole", "name": "r", **reference}
    return named(resource, roleRef=role_ref, subjects=list(subjects))


def test_defaults() -> None:
    subjects = [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}]
    obj = binding(*subjects)
    apply_defaults(ROLEBINDINGS, obj)
    assert obj["roleRef"] == {"kind": "ClusterRole", "name": "r", "apiGroup": GROUP}
    assert obj["subjects"] == [{**subjects[0], "apiGroup": GROUP}, subjects[1]]
    assert complete(PRIORITYCLASSES, priority())["preemptionPolicy"] == "PreemptLowerPriority"
    fine = complete(RUNTIMECLASSES, runtime(overhead={"podFixed": {"cpu": "100u"}}))
    assert fine["overhead"] == {"podFixed": {"cpu": "1m"}}


def test_generations() -> None:
    assert complete(PODDISRUPTIONBUDGETS, budget())["metadata"]["generation"] == 1
    assert complete(PRIORITYCLASSES, priority())["metadata"]["generation"] == 1
    assert "generation" not in complete(ROLES, role())["metadata"]


@pytest.mark.parametrize(
    ("resource", "by_put", "unconditional"),
    [
        (PODDISRUPTIONBUDGETS, False, False),
        (PRIORITYCLASSES, False, True),
        (RUNTIMECLASSES, True, False),
        (ROLES, True, True),
        (CLUSTERROLEBINDINGS, True, True),
    ],
)
def test_how_they_are_written(resource: Resource, by_put: bool, unconditional: bool) -> None:
    strategy = strategy_for(resource)
    assert strategy.create_on_update is by_put
    assert strategy.unconditional_update is unconditional


@pytest.mark.parametrize(
    ("resource", "obj"),
    [
        (PODDISRUPTIONBUDGETS, budget(minAvailable="50%", selector={})),
        (PRIORITYCLASSES, priority(value=5)),
        (PRIORITYCLASSES, priority("system-node-critical", value=2_000_001_000)),
        (RUNTIMECLASSES, runtime(scheduling={"nodeSelector": {"a": "b"}})),
        (ROLES, {**role(READ), "metadata": {"name": "a:b", "namespace": "default"}}),
        (CLUSTERROLES, role({"verbs": ["get"], "nonResourceURLs": ["/x"]}, resource=CLUSTERROLES)),
        (ROLEBINDINGS, binding({"kind": "Group", "name": "g"}, kind="Role")),
        (
            CLUSTERROLEBINDINGS,
            binding(
                {"kind": "ServiceAccount", "name": "s", "namespace": "n"},
                resource=CLUSTERROLEBINDINGS,
            ),
        ),
    ],
    ids=str,
)
def test_a_plain_object_is_valid(resource: Resource, obj: Obj) -> None:
    assert create_errors(resource, obj) == []
    assert update_errors(resource, obj, obj) == []


RESERVED = "priority class names with 'system-' prefix are reserved for system use only. error: "
BROKEN = [
    *broken(
        PODDISRUPTIONBUDGETS,
        (
            budget(minAvailable=1, maxUnavailable=1),
            'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":1,'
            '"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both '
            "set",
        ),
        (
            budget(minAvailable=-1),
            "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            budget(maxUnavailable="101%"),
            'spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
        ),
        (
            budget(unhealthyPodEvictionPolicy="Never"),
            'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: '
            '"AlwaysAllow", "IfHealthyBudget"',
        ),
    ),
    *broken(
        PRIORITYCLASSES,
        (
            priority("system-mine"),
            f"metadata.name: Forbidden: {RESERVED}system-mine is not a known system priority class",
        ),
        (
            priority("system-node-critical", value=1),
            f"metadata.name: Forbidden: {RESERVED}value of system-node-critical PriorityClass must "
            "be 2000001000",
        ),
        (
            priority("system-node-critical", value=2000001000, globalDefault=True),
            f"metadata.name: Forbidden: {RESERVED}globalDefault of system-node-critical "
            "PriorityClass must be false",
        ),
        (
            priority(value=1000000001),
            "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
        ),
        (
            priority(preemptionPolicy="Some"),
            'preemptionPolicy: Unsupported value: "Some": supported values: '
            '"PreemptLowerPriority", "Never"',
        ),
    ),
    *broken(
        RUNTIMECLASSES,
        ({**runtime(), "handler": "a.b"}, 'handler: Invalid value: "a.b": must not contain dots'),
        (
            runtime(scheduling={"tolerations": [{"operator": "Exists"}, {"operator": "Exists"}]}),
            'scheduling.tolerations[1]: Duplicate value: {"Key":"","Operator":"Exists","Value":"",'
            '"Effect":"","TolerationSeconds":null}',
        ),
        (
            runtime(overhead={"podFixed": {"horses": "1"}}),
            'overhead.podFixed.limits: Invalid value: "horses": must be a standard resource for '
            "containers",
        ),
    ),
    *broken(
        ROLES,
        (role({}), "rules[0].verbs: Required value: verbs must contain at least one value"),
        (
            role({"verbs": ["get"]}),
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        ),
        (
            role({"verbs": ["get"], "apiGroups": [""]}),
            "rules[0].resources: Required value: resource rules must supply at least one resource",
        ),
        (
            role({"verbs": ["get"], "nonResourceURLs": ["/x"]}),
            'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to '
            "non-resource URLs",
        ),
        (
            {**role(READ), "metadata": {"name": "a%b", "namespace": "default"}},
            "metadata.name: Invalid value: \"a%b\": may not contain '%'",
        ),
    ),
    *broken(
        CLUSTERROLES,
        (
            role({**READ, "nonResourceURLs": ["/x"]}, resource=CLUSTERROLES),
            'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular '
            "resources and non-resource URLs",
        ),
        (
            role(resource=CLUSTERROLES, aggregationRule={}),
            "aggregationRule.clusterRoleSelectors: Required value: at least one "
            "clusterRoleSelector required if aggregationRule is non-nil",
        ),
    ),
    *broken(
        ROLEBINDINGS,
        (
            binding(apiGroup="other"),
            f'roleRef.apiGroup: Unsupported value: "other": supported values: "{GROUP}"',
        ),
        (
            binding(kind="Pod"),
            'roleRef.kind: Unsupported value: "Pod": supported values: "Role", "ClusterRole"',
        ),
        (binding(name=""), "roleRef.name: Required value"),
        (
            binding({"kind": "Horse", "name": "h"}),
            'subjects[0].kind: Unsupported value: "Horse": supported values: "ServiceAccount", '
            '"User", "Group"',
        ),
        (
            binding({"kind": "User", "name": "u", "apiGroup": "other"}),
            f'subjects[0].apiGroup: Unsupported value: "other": supported values: "{GROUP}"',
        ),
        (
            binding({"kind": "ServiceAccount", "name": "s", "apiGroup": "other"}),
            'subjects[0].apiGroup: Unsupported value: "other": supported values: ""',
        ),
        (binding({"kind": "User"}), "subjects[0].name: Required value"),
    ),
    *broken(
        CLUSTERROLEBINDINGS,
        (
            binding(kind="Role", resource=CLUSTERROLEBINDINGS),
            'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
        ),
        (
            binding({"kind": "ServiceAccount", "name": "s"}, resource=CLUSTERROLEBINDINGS),
            "subjects[0].namespace: Required value",
        ),
    ),
]


@pytest.mark.parametrize(("resource", "obj", "message"), BROKEN)
def test_a_broken_field_is_named(resource: Resource, obj: Obj, message: str) -> None:
    assert message in create_errors(resource, obj)


UPDATES: list[tuple[Resource, Obj, Obj, str, list[str]]] = [
    (PODDISRUPTIONBUDGETS, budget(minAvailable=2), budget(minAvailable=1), "", []),
    (
        PODDISRUPTIONBUDGETS,
        {**budget(), "status": {"expectedPods": -1}},
        budget(),
        "status",
        ["status.expectedPods: Invalid value: -1: must be greater than or equal to 0"],
    ),
    (
        PODDISRUPTIONBUDGETS,
        {**budget(), "status": {"conditions": [{"type": "a", "status": "Maybe"}]}},
        budget(),
        "status",
        [
            'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", '
            '"True", "Unknown"',
            "status.conditions[0].lastTransitionTime: Required value",
            "status.conditions[0].reason: Required value",
        ],
    ),
    (
        PRIORITYCLASSES,
        priority(value=2),
        priority(value=1),
        "",
        ["value: Forbidden: may not be changed in an update."],
    ),
    (
        PRIORITYCLASSES,
        priority(preemptionPolicy="Never"),
        priority(),
        "",
        ['preemptionPolicy: Invalid value: "Never": field is immutable'],
    ),
    (
        RUNTIMECLASSES,
        {**runtime(), "handler": "other"},
        runtime(),
        "",
        ['handler: Invalid value: "other": field is immutable'],
    ),
    (
        ROLEBINDINGS,
        binding(name="other"),
        binding(),
        "",
        [
            f'roleRef: Invalid value: {{"APIGroup":"{GROUP}","Kind":"ClusterRole",'
            '"Name":"other"}: cannot change roleRef'
        ],
    ),
]


@pytest.mark.parametrize(("resource", "new", "old", "subresource", "expected"), UPDATES)
def test_updates(
    resource: Resource, new: Obj, old: Obj, subresource: str, expected: list[str]
) -> None:
    assert update_errors(resource, new, old, subresource) == expected


def test_tables() -> None:
    assert cells(PODDISRUPTIONBUDGETS, budget(minAvailable="50%")) == [
        ("Name", "x"), ("Min Available", "50%"), ("Max Unavailable", "N/A"),
        ("Allowed Disruptions", 0), ("Age", "2d"),
    ]  # fmt: skip
    assert cells(PRIORITYCLASSES, {"value": 5, "preemptionPolicy": "Never"}) == [
        ("Name", "x"), ("Value", 5), ("Global-Default", False), ("Age", "2d"),
        ("PreemptionPolicy", "Never"),
    ]  # fmt: skip
    assert cells(RUNTIMECLASSES, runtime())[1] == ("Handler", "runc")
    subjects = ({"kind": "User", "name": "u"}, {"kind": "Group", "name": "g"},
                {"kind": "User", "name": "v"},
                {"kind": "ServiceAccount", "name": "s", "namespace": "n"})  # fmt: skip
    assert cells(ROLEBINDINGS, binding(*subjects)) == [
        ("Name", "x"), ("Role", "ClusterRole/r"), ("Age", "2d"), ("Users*", "u, v"),
        ("Groups*", "g"), ("ServiceAccounts*", "n/s"),
    ]  # fmt: skip
    assert cells(ROLES, {})[1][0] == "Created At"
