"""Conformance of ValidatingAdmissionPolicy: tests named after what the upstream suite checks."""

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config

from tests.control_plane.apiserver.objects import deployment
from tests.control_plane.apiserver.policy_stage import BINDINGS, POLICIES, Stage, rules
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi


@pytest.fixture
def stage(api: RawApi, namespace: str) -> Iterator[Stage]:
    made = Stage(api, namespace)
    yield made
    made.clear()


@pytest.fixture
def official(server: ThreadedApiServer) -> client.ApiClient:
    connect: Any = config.new_client_from_config  # it has no types
    made: client.ApiClient = connect(str(server.kubeconfig))
    return made


def denied(official: client.ApiClient, namespace: str, obj: dict[str, Any]) -> str:
    apps: Any = client.AppsV1Api(official)
    with pytest.raises(client.ApiException) as caught:
        apps.create_namespaced_deployment(namespace, obj)
    assert caught.value.status == 422
    return str(caught.value.body)


@pytest.mark.conformance(
    "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should validate "
    "against a Deployment [Conformance]",
)
def test_validating_admission_policy_should_validate_against_a_deployment(
    official: client.ApiClient, stage: Stage
) -> None:
    stage.policy(
        {
            "expression": "object.spec.replicas > 1",
            "messageExpression": "'wants replicas > 1, got ' + string(object.spec.replicas)",
        },
        matchConstraints=rules("deployments", group="apps", operations=("CREATE", "UPDATE")),
    )
    stage.bind()
    apps: Any = client.AppsV1Api(official)

    message = denied(official, stage.namespace, deployment("one", 1))
    made = apps.create_namespaced_deployment(stage.namespace, deployment("two", 2))

    assert "wants replicas > 1, got 1" in message
    assert made.spec.replicas == 2


@pytest.mark.conformance(
    "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should allow "
    "expressions to refer variables. [Conformance]",
)
def test_validating_admission_policy_should_allow_expressions_to_refer_variables(
    official: client.ApiClient, stage: Stage
) -> None:
    stage.policy(
        {"expression": "variables.oddReplicas", "message": "replicas must be odd"},
        {"expression": "variables.replicas > 1"},
        variables=[
            {"name": "replicas", "expression": "object.spec.replicas"},
            {"name": "oddReplicas", "expression": "variables.replicas % 2 == 1"},
        ],
        matchConstraints=rules("deployments", group="apps", operations=("CREATE", "UPDATE")),
    )
    stage.bind()
    apps: Any = client.AppsV1Api(official)

    assert "replicas must be odd" in denied(official, stage.namespace, deployment("a", 2))
    failed = denied(official, stage.namespace, deployment("b", 1))
    assert "failed expression: variables.replicas > 1" in failed
    assert apps.create_namespaced_deployment(stage.namespace, deployment("c", 3))


@pytest.mark.parametrize("path", [POLICIES, BINDINGS])
def test_validating_admission_policy_should_support_its_and_its_bindings_api_operations(
    stage: Stage, path: str
) -> None:
    api = stage.api
    stage.policy("true")
    name = stage.bind()
    listed = api.get(path).json
    assert name in [one["metadata"]["name"] for one in listed["items"]]
    got = api.get(f"{path}/{name}").json
    assert got["metadata"]["generation"] == 1

    changed = got | {"metadata": got["metadata"] | {"labels": {"a": "b"}}}
    updated = api.request("PUT", f"{path}/{name}", changed).json
    patched = api.patch(f"{path}/{name}", {"metadata": {"labels": {"c": "d"}}}).json

    assert updated["metadata"]["labels"] == {"a": "b"}
    assert patched["metadata"]["labels"] == {"a": "b", "c": "d"}
    assert api.delete(f"{path}?labelSelector=a%3Db").code == 200
    assert api.get(f"{path}/{name}").code == 404
