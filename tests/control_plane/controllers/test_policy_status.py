"""What the types of a policy's expressions are about, and that its status tells."""

from typing import Any

import pytest

from control_plane.api.resources import VALIDATINGADMISSIONPOLICIES
from control_plane.controllers.policy_status import checked_status
from tests.control_plane.controllers.stage import Stage

REPLICAS = "ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^"


def policy(*validations: Any, resources: tuple[str, ...] = ("deployments",), **spec: Any) -> Any:
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": list(resources),
    }
    return {
        "kind": "ValidatingAdmissionPolicy",
        "apiVersion": "admissionregistration.k8s.io/v1",
        "metadata": {"name": "typed", "generation": 1},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": one} for one in validations],
            **spec,
        },
    }


def warnings(made: Any) -> list[Any]:
    status = checked_status(made)
    assert status is not None
    found: list[Any] = status["typeChecking"].get("expressionWarnings", [])
    return found


def test_a_policy_without_mistakes_has_no_warnings() -> None:
    made = policy(
        "object.spec.replicas <= 5 && oldObject.spec.paused",
        "object.spec.template.spec.containers.all(c, c.resources.limits['cpu'] != '')",
        "has(object.metadata.labels) && object.metadata.creationTimestamp.getFullYear() > 2000",
        "type(object.spec.strategy.rollingUpdate.maxSurge) == int",
    )

    status = {"observedGeneration": 1, "typeChecking": {}}
    assert checked_status(made) == status
    assert checked_status(made | {"status": status}) is None


def test_a_warning_names_the_expression_and_every_kind() -> None:
    made = policy("object.replicas > 1", resources=("deployments", "replicasets"))

    assert warnings(made) == [
        {
            "fieldRef": "spec.validations[0].expression",
            "warning": f"apps/v1, Kind=Deployment: {REPLICAS}\n"
            f"apps/v1, Kind=ReplicaSet: {REPLICAS}",
        }
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            "variables.count > 'a'",
            "found no matching overload for '_>_' applied to '(int, string)'",
        ),
        ("params.none == 1", "undefined field 'none'"),
        ("object.spec.selector.matchLabels.a == 1", "no matching overload for '_==_'"),
    ],
)
def test_variables_and_params_have_types_too(text: str, mistake: str) -> None:
    made = policy(
        text,
        variables=[{"name": "count", "expression": "object.spec.replicas"}],
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
    )

    assert mistake in warnings(made)[0]["warning"]


def test_rules_with_wildcards_are_not_checked() -> None:
    assert warnings(policy("object.replicas > 1", resources=("*",))) == []


async def test_validating_admission_policy_should_type_check_validation_expressions(
    stage: Stage,
) -> None:
    await stage.client.create(VALIDATINGADMISSIONPOLICIES, policy("object.replicas > 1"))

    def status() -> Any:
        found = stage.get(VALIDATINGADMISSIONPOLICIES, "typed") or {}
        return (found.get("status") or {}).get("typeChecking")

    found = await stage.until(status, "the result of the type check")

    assert found["expressionWarnings"][0]["fieldRef"] == "spec.validations[0].expression"
    assert found["expressionWarnings"][0]["warning"].endswith(REPLICAS)
