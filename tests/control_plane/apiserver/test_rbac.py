"""Roles and bindings as requests meet them: what is written decides about the next request."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.control_plane.apiserver.people import person
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

RBAC = "/apis/rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"
REVIEWS = "/apis/authorization.k8s.io/v1"


class Access:
    """Makes roles and bindings as the administrator, and removes what belongs to the cluster."""

    def __init__(self, api: RawApi, namespace: str) -> None:
        self._api, self._namespace = api, namespace
        self._unique = uuid.uuid4().hex[:8]
        self._made: list[str] = []

    def name(self, name: str) -> str:
        return f"{name}-{self._unique}"

    def cluster_role(self, name: str, *rules: dict[str, Any], **more: Any) -> str:
        body = {"metadata": {"name": self.name(name)}, "rules": list(rules), **more}
        return self._make("clusterroles", body)

    def role(self, name: str, *rules: dict[str, Any]) -> str:
        path = f"{RBAC}/namespaces/{self._namespace}/roles"
        answer = self._api.post(path, {"metadata": {"name": name}, "rules": list(rules)})
        assert answer.code == 201, answer.text
        return f"{path}/{name}"

    def bind(
        self, role: str, *subjects: Any, namespace: str = "", kind: str = "ClusterRole"
    ) -> str:
        body = {
            "metadata": {"name": self.name("b") if not namespace else f"b-{role}"},
            "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role},
            "subjects": [
                {"kind": "User", "name": one} if isinstance(one, str) else one for one in subjects
            ],
        }
        if not namespace:
            return self._make("clusterrolebindings", body)
        path = f"{RBAC}/namespaces/{namespace}/rolebindings"
        answer = self._api.post(path, body)
        assert answer.code == 201, answer.text
        return f"{path}/{body['metadata']['name']}"  # type: ignore[index]

    def _make(self, plural: str, body: dict[str, Any]) -> str:
        answer = self._api.post(f"{RBAC}/{plural}", body)
        assert answer.code == 201, answer.text
        self._made.append(f"{RBAC}/{plural}/{body['metadata']['name']}")
        return str(body["metadata"]["name"])

    def remove(self) -> None:
        for path in self._made:
            self._api.delete(path)


@pytest.fixture
def access(api: RawApi, namespace: str) -> Iterator[Access]:
    made = Access(api, namespace)
    yield made
    made.remove()


@pytest.fixture
def jane(server: ThreadedApiServer, tmp_path: Path) -> Iterator[RawApi]:
    with person(server, tmp_path, "jane", ("dev",)) as client:
        yield client


PODS = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}


def test_a_binding_is_in_force_for_the_next_request(
    api: RawApi, jane: RawApi, access: Access, namespace: str
) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    access.role("reader", PODS)
    for _ in range(20):
        assert jane.get(pods).code == 403
        binding = access.bind("reader", "jane", namespace=namespace, kind="Role")
        assert jane.get(pods).code == 200
        assert jane.get(f"{pods}/x").code == 404
        assert jane.get("/api/v1/namespaces/default/pods").code == 403
        assert api.delete(binding).code == 200


def test_a_role_that_changes_is_in_force_for_the_next_request(
    api: RawApi, jane: RawApi, access: Access
) -> None:
    role = access.cluster_role("nodes", {**PODS, "resources": ["nodes"]})
    access.bind(role, {"kind": "Group", "name": "dev"})
    assert jane.get("/api/v1/nodes").code == 200
    paths = {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/debug/*"]}]}
    assert api.patch(f"{RBAC}/clusterroles/{role}", paths).code == 200
    assert jane.get("/api/v1/nodes").code == 403
    assert jane.get("/debug/nothing").code == 404
    assert jane.get("/metrics").code == 403


def test_one_object_by_name(api: RawApi, jane: RawApi, access: Access, namespace: str) -> None:
    verbs = ["get", "list", "watch", "update", "create"]
    rule = {**PODS, "verbs": verbs, "resources": ["configmaps"], "resourceNames": ["mine"]}
    access.role("mine", rule)
    access.bind("mine", "jane", namespace=namespace, kind="Role")
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    for name in ("mine", "other"):
        assert api.post(maps, {"metadata": {"name": name}}).code == 201
    assert jane.get(f"{maps}/mine").code == 200
    assert jane.get(f"{maps}/other").code == 403
    assert jane.get(maps).code == 403
    assert jane.get(f"{maps}?fieldSelector=metadata.name=mine").code == 200
    assert jane.get(f"{maps}?fieldSelector=metadata.name=other").code == 403
    assert jane.post(maps, {"metadata": {"name": "mine"}}).code == 403


def test_a_missing_role_is_told(jane: RawApi, access: Access, namespace: str) -> None:
    access.bind("nothing", "jane", namespace=namespace, kind="Role")
    assert jane.get(f"/api/v1/namespaces/{namespace}/pods").message == (
        'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the '
        f'namespace "{namespace}": RBAC: role.rbac.authorization.k8s.io "nothing" not found'
    )


def test_reviews_say_why(api: RawApi, jane: RawApi, access: Access, namespace: str) -> None:
    role = access.cluster_role("pods", PODS)
    access.bind(role, "jane", namespace=namespace)
    asked = {"verb": "get", "resource": "pods", "namespace": namespace}
    spec = {"user": "jane", "resourceAttributes": asked}
    status = api.post(f"{REVIEWS}/subjectaccessreviews", {"spec": spec}).json["status"]
    assert status == {
        "allowed": True,
        "reason": f'RBAC: allowed by RoleBinding "b-{role}/{namespace}" of ClusterRole "{role}" '
        'to User "jane"',
    }
    rules = jane.post(f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": namespace}})
    assert PODS in rules.json["status"]["resourceRules"]


def test_an_account_of_another_namespace(
    server: ThreadedApiServer, api: RawApi, access: Access, namespace: str
) -> None:
    access.role("reader", PODS)
    account = {"kind": "ServiceAccount", "name": "default", "namespace": "default"}
    own = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    access.bind("reader", account, own, namespace=namespace, kind="Role")
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token"
    token = api.post(path, {}).json["status"]["token"]
    with RawApi(server.url, server.pki.pair("ca").certificate, token=token) as robot:
        assert robot.get(f"/api/v1/namespaces/{namespace}/pods").code == 200
        assert robot.get("/api/v1/namespaces/default/pods").code == 403
