"""Updates of pods: what may change, and what is said of the rest."""

from typing import Any

import pytest

from control_plane.api.resources import PODS
from tests.control_plane.api.valid_objects import Obj, named, update_errors

CONTAINER = {"name": "c", "image": "i:1"}


def pod(**spec: Any) -> Obj:
    return named(PODS, spec={"containers": [CONTAINER], **spec})


def tolerate(**toleration: Any) -> Obj:
    return pod(tolerations=[toleration])


CHANGEABLE: list[dict[str, Any]] = [
    {"containers": [{**CONTAINER, "image": "i:2"}]},
    {"activeDeadlineSeconds": 5},
    {"tolerations": [{"key": "k", "operator": "Exists"}]},
]


@pytest.mark.parametrize("spec", CHANGEABLE)
def test_a_few_fields_may_change(spec: dict[str, Any]) -> None:
    assert update_errors(PODS, pod(**spec), pod()) == []


FIXED = (
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions "
    "to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it "
    "was previously negative)\n"
)


def test_other_fields_may_not() -> None:
    (error,) = update_errors(PODS, pod(nodeName="n"), pod())
    assert error == FIXED + (
        '@@ -42,7 +42,7 @@\n  "NodeSelector": null,\n  "ServiceAccountName": "",\n'
        '  "AutomountServiceAccountToken": null,\n- "NodeName": "",\n+ "NodeName": "n",\n'
        '  "SecurityContext": {\n   "HostNetwork": false,\n   "HostPID": false,\n'
    )


@pytest.mark.parametrize(
    ("new", "old", "message"),
    [
        (
            pod(containers=[CONTAINER, {"name": "d", "image": "d"}]),
            pod(),
            "spec.containers: Forbidden: pod updates may not add or remove containers",
        ),
        (
            pod(),
            pod(activeDeadlineSeconds=5),
            "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive "
            "integer to nil value",
        ),
        (
            pod(activeDeadlineSeconds=6),
            pod(activeDeadlineSeconds=5),
            "spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous "
            "value",
        ),
        (
            pod(),
            tolerate(key="k", operator="Exists"),
            "spec.tolerations: Forbidden: existing toleration can not be modified except its "
            "tolerationSeconds",
        ),
        (
            pod(schedulingGates=[{"name": "new"}]),
            pod(),
            "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new "
            "scheduling gate 'new'",
        ),
    ],
)
def test_a_refused_change_is_named(new: Obj, old: Obj, message: str) -> None:
    assert message in update_errors(PODS, new, old)


def test_a_gated_pods_choice_of_nodes_may_become_narrower() -> None:
    gate = [{"name": "g"}]
    narrower = pod(schedulingGates=gate, nodeSelector={"a": "b"})
    assert update_errors(PODS, narrower, pod(schedulingGates=gate)) == []
    wider = update_errors(PODS, pod(schedulingGates=gate), narrower)
    assert wider == [
        "spec.nodeSelector: Invalid value: {}: only additions to spec.nodeSelector are allowed "
        "(no mutations or deletions)"
    ]


def test_the_status_endpoint_keeps_the_qos_class() -> None:
    new = {**pod(), "status": {"phase": "Running", "qosClass": "Guaranteed"}}
    assert update_errors(PODS, new, pod(), "status") == [
        'status.qosClass: Invalid value: "Guaranteed": field is immutable'
    ]
