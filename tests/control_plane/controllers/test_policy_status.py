"""What the types of a policy's expressions are about, and that its status tells."""

import asyncio
from typing import Any

import pytest

from control_plane.api.errors import ApiError
from control_plane.api.resources import CUSTOMRESOURCEDEFINITIONS, VALIDATINGADMISSIONPOLICIES
from control_plane.controllers.policy_kinds import PolicyKinds
from control_plane.controllers.policy_status import checked_status, is_checked
from tests.control_plane.controllers.stage import SECONDS, Stage

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
    status = checked_status(made, PolicyKinds())
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
    assert checked_status(made, PolicyKinds()) == status
    assert not is_checked(made)
    assert is_checked(made | {"status": status})


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


async def test_validating_admission_policy_should_type_check_a_crd(stage: Stage) -> None:
    number = {"type": "integer"}
    spec = {"type": "object", "properties": {"replicas": number, "maxReplicas": number}}
    root = {"type": "object", "properties": {"spec": spec}}
    names = {"plural": "crontabs", "kind": "CronTab"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": root}}
    definition = {
        "kind": "CustomResourceDefinition",
        "apiVersion": "apiextensions.k8s.io/v1",
        "metadata": {"name": "crontabs.typed.example.com"},
        "spec": {
            "group": "typed.example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": [version],
        },
    }
    await stage.client.create(CUSTOMRESOURCEDEFINITIONS, definition)

    async def is_published() -> bool:
        try:
            await stage.client.request("GET", "/openapi/v3/apis/typed.example.com/v1")
            await stage.client.request("GET", "/apis/typed.example.com/v1")
        except ApiError:
            return False
        return True

    async with asyncio.timeout(SECONDS):
        while True:
            if await is_published():
                break
            await asyncio.sleep(0.1)
    made = policy(
        "object.spec.replicas < object.spec.maxReplicas && object.metadata.labels.a == 'b'",
        "object.spec.replicas > '1'",
        "object.spec.maxRetries < 10",
    )
    made["metadata"]["name"] = "crontabs"
    rule = {"apiGroups": ["typed.example.com"], "resources": ["crontabs"]}
    made["spec"]["matchConstraints"]["resourceRules"][0] |= rule
    await stage.client.create(VALIDATINGADMISSIONPOLICIES, made)

    def warned() -> Any:
        found = stage.get(VALIDATINGADMISSIONPOLICIES, "crontabs") or {}
        checking = (found.get("status") or {}).get("typeChecking") or {}
        return checking.get("expressionWarnings")

    wrong, unknown = await stage.until(warned, "the result of the type check")

    assert wrong["fieldRef"] == "spec.validations[1].expression"
    assert wrong["warning"].startswith(
        "typed.example.com/v1, Kind=CronTab: ERROR: <input>:1:22: found no matching overload for "
        "'_>_' applied to '(int, string)'"
    )
    assert unknown["fieldRef"] == "spec.validations[2].expression"
    assert "undefined field 'maxRetries'" in unknown["warning"]
