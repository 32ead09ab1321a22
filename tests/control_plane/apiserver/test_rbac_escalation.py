"""Nobody gives what they do not have."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.control_plane.apiserver.people import person
from tests.control_plane.apiserver.test_rbac import GROUP, PODS, RBAC, Access, access
from tests.control_plane.apiserver.webhook_peer import patch, patching
from tests.control_plane.apiserver.webhook_stage import MUTATING, WebhookStage
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

__all__ = ["access"]

WRITE = ["create", "update", "patch"]
ON_ROLES = {
    "verbs": [*WRITE, "get"],
    "apiGroups": [GROUP],
    "resources": ["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
}
SECRETS = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "secrets"]}
WHO = 'user "jane" (groups=["dev" "system:authenticated"])'
NOT_HELD = f"{WHO} is attempting to grant RBAC permissions not currently held:\n"
MISSING = '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}'


@pytest.fixture
def jane(server: ThreadedApiServer, tmp_path: Path, access: Access) -> Iterator[RawApi]:
    """Somebody who may write roles and read pods."""
    role = access.cluster_role("writer", ON_ROLES, PODS)
    access.bind(role, "jane")
    with person(server, tmp_path, "jane", ("dev",)) as client:
        yield client


def _role(name: str, *rules: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "rules": list(rules)}


def _binding(name: str, role: str, kind: str = "ClusterRole") -> dict[str, Any]:
    ref = {"apiGroup": GROUP, "kind": kind, "name": role}
    subject = {"apiGroup": GROUP, "kind": "User", "name": "jane"}
    return {"metadata": {"name": name}, "roleRef": ref, "subjects": [subject]}


def test_a_role_with_what_its_writer_lacks(api: RawApi, jane: RawApi, namespace: str) -> None:
    roles = f"{RBAC}/namespaces/{namespace}/roles"
    assert jane.post(roles, _role("mine", PODS)).code == 201
    refused = jane.post(roles, _role("more", SECRETS))
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert refused.message == (f'roles.{GROUP} "more" is forbidden: {NOT_HELD}{MISSING}')
    assert jane.patch(f"{roles}/mine", {"rules": [SECRETS]}).message == (
        f'roles.{GROUP} "mine" is forbidden: {NOT_HELD}{MISSING}'
    )
    assert jane.apply(f"{roles}/new", {
        "apiVersion": f"{GROUP}/v1", "kind": "Role", **_role("new", SECRETS)
    }).code == 403  # fmt: skip
    assert api.post(roles, _role("more", SECRETS)).code == 201
    assert jane.patch(f"{roles}/more", {"metadata": {"finalizers": ["a.b/c"]}}).code == 200
    assert jane.patch(f"{roles}/more", {"metadata": {"labels": {"a": "b"}}}).code == 403
    assert jane.patch(f"{roles}/more", {"rules": [PODS]}).code == 200
    api.patch(f"{roles}/more", {"metadata": {"finalizers": None}})


def test_names_and_paths_are_held_or_not(jane: RawApi) -> None:
    named = {**SECRETS, "resources": ["secrets"], "resourceNames": ["a"], "verbs": ["get"]}
    paths = {"verbs": ["get", "post"], "nonResourceURLs": ["/metrics", "/api/*"]}
    refused = jane.post(f"{RBAC}/clusterroles", _role("x", named, paths))
    assert refused.message == (
        f'clusterroles.{GROUP} "x" is forbidden: {NOT_HELD}'
        '{APIGroups:[""], Resources:["secrets"], ResourceNames:["a"], Verbs:["get"]}\n'
        '{NonResourceURLs:["/api/*"], Verbs:["post"]}\n'
        '{NonResourceURLs:["/metrics"], Verbs:["get" "post"]}'
    )


def test_an_aggregated_role_needs_everything(jane: RawApi) -> None:
    rule = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    refused = jane.post(f"{RBAC}/clusterroles", {**_role("x"), "aggregationRule": rule})
    assert refused.message == (
        f'clusterroles.{GROUP} "x" is forbidden: '
        "must have cluster-admin privileges to use the aggregationRule"
    )


def test_binding_what_one_lacks(api: RawApi, jane: RawApi, namespace: str) -> None:
    bindings = f"{RBAC}/namespaces/{namespace}/rolebindings"
    assert api.post(f"{RBAC}/namespaces/{namespace}/roles", _role("more", SECRETS)).code == 201
    refused = jane.post(bindings, _binding("b", "more", "Role"))
    assert refused.message == f'rolebindings.{GROUP} "b" is forbidden: {NOT_HELD}{MISSING}'
    refused = jane.post(f"{RBAC}/clusterrolebindings", _binding("b", "cluster-admin"))
    assert refused.message.endswith(
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}'
    )
    lost = jane.post(bindings, _binding("b", "lost", "Role"))
    assert (lost.code, lost.message) == (404, f'roles.{GROUP} "lost" not found')
    assert jane.post(bindings, _binding("b", "system:basic-user")).code == 201


def test_escalate_and_bind(api: RawApi, jane: RawApi, access: Access, namespace: str) -> None:
    special = [
        {**ON_ROLES, "verbs": ["escalate"], "resources": ["roles"]},
        {**ON_ROLES, "verbs": ["bind"], "resources": ["clusterroles"], "resourceNames": ["view"]},
    ]
    role = access.cluster_role("special", *special)
    access.bind(role, "jane", namespace=namespace)
    place = f"{RBAC}/namespaces/{namespace}"
    assert jane.post(f"{place}/roles", _role("any", SECRETS)).code == 201
    assert jane.post(f"{RBAC}/namespaces/default/roles", _role("any", SECRETS)).code == 403
    assert jane.post(f"{place}/rolebindings", _binding("v", "view")).code == 201
    assert jane.post(f"{place}/rolebindings", _binding("a", "cluster-admin")).code == 403
    assert api.get(f"{place}/rolebindings/v").code == 200


def test_what_a_webhook_adds_is_its_writers_too(
    api: RawApi, jane: RawApi, stage: WebhookStage
) -> None:
    path = f"{RBAC}/namespaces/{stage.namespace}/roles"
    adding = patch({"op": "add", "path": "/rules/-", "value": SECRETS})
    answers = iter([{}, adding, {}, adding])  # only when it is asked again
    stage.peer.answers["/rules"] = lambda _: {"allowed": True, **next(answers)}
    label = {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}
    stage.peer.answers["/label"] = patching(label)
    hooks = [
        stage.webhook("/rules", (GROUP, "roles"), reinvocationPolicy="IfNeeded"),
        stage.webhook("/label", (GROUP, "roles")),
    ]
    with stage.configured(MUTATING, *hooks):
        refused = jane.post(path, _role("mine", PODS))
        assert refused.message == f'roles.{GROUP} "mine" is forbidden: {NOT_HELD}{MISSING}'
        assert api.get(f"{path}/mine").code == 404
        made = api.post(path, _role("mine", PODS))
    assert made.json["rules"] == [PODS, SECRETS]


def test_rights_are_asked_about_before_an_object_is_validated(
    jane: RawApi, stage: WebhookStage
) -> None:
    roles = f"{RBAC}/namespaces/{stage.namespace}/roles"
    wrong = {"apiGroups": [""], "resources": [], "verbs": ["get"]}
    assert jane.post(roles, _role("wrong", PODS, wrong)).code == 422
    assert jane.post(roles, _role("both", wrong, SECRETS)).code == 403
