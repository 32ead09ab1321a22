"""Acting as others: who may, and as whom the request is then served."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane.apiserver.auth.impersonation import wanted_of
from tests.control_plane.apiserver.people import person
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.control_plane.apiserver.test_rbac import Access, access
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import Answer, RawApi

__all__ = ["access"]

SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
GROUP = "authentication.k8s.io"


@pytest.fixture
def jane(server: ThreadedApiServer, tmp_path: Path) -> Iterator[RawApi]:
    with person(server, tmp_path, "jane") as client:
        yield client


def who(api: RawApi, **headers: str) -> Answer:
    sent = {f"Impersonate-{name.replace('_', '-')}": value for name, value in headers.items()}
    return api.request("POST", SELF, {}, sent)


def test_an_administrator_acts_as_somebody(api: RawApi) -> None:
    headers = {"Extra-Example.Org%2FScopes": "a", "Uid": "42", "Group": "ops"}
    user = who(api, User="joe", **headers).json["status"]["userInfo"]
    assert user == {
        "username": "joe",
        "uid": "42",
        "groups": ["ops", "system:authenticated"],
        "extra": {"example.org/scopes": ["a"]},
    }
    asked = {"Impersonate-User": "joe"}
    assert api.request("GET", "/api/v1/nodes", headers=asked).message == (
        'nodes is forbidden: User "joe" cannot list resource "nodes" in API group "" '
        "at the cluster scope"
    )


def test_groups_that_come_with_a_user(api: RawApi) -> None:
    def groups(**headers: str) -> list[str]:
        found: list[str] = who(api, **headers).json["status"]["userInfo"]["groups"]
        return found

    account = "system:serviceaccount:x:robot"
    assert groups(User=account) == [
        "system:serviceaccounts",
        "system:serviceaccounts:x",
        "system:authenticated",
    ]
    assert groups(User=account, Group="ops") == ["ops", "system:authenticated"]
    assert groups(User="joe", Group="system:authenticated") == ["system:authenticated"]
    lines = [(b"impersonate-user", b"joe"), (b"impersonate-group", b"a"), (b"x", b"y")]
    assert wanted_of([*lines, (b"impersonate-group", b"b")]).groups == ("a", "b")


def test_each_part_needs_the_permission(jane: RawApi, access: Access, namespace: str) -> None:
    def refused(**headers: str) -> str:
        answer = who(jane, **headers)
        assert (answer.code, answer.reason) == (403, "Forbidden")
        return answer.message

    assert refused(User="joe") == (
        'users "joe" is forbidden: User "jane" cannot impersonate resource "users" in API group '
        '"" at the cluster scope'
    )
    rule = {"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"]}
    access.bind(access.cluster_role("users", {**rule, "resourceNames": ["joe"]}), "jane")
    assert who(jane, User="joe").code == 201
    assert refused(User="jim").startswith('users "jim" is forbidden')
    assert refused(User="joe", Group="ops").startswith('groups "ops" is forbidden: User "jane"')
    assert refused(User="joe", Uid="1").startswith(f'uids.{GROUP} "1" is forbidden')
    assert refused(User="joe", Extra_a="1") == (
        f'userextras.{GROUP} "1" is forbidden: User "jane" cannot impersonate resource '
        f'"userextras/a" in API group "{GROUP}" at the cluster scope'
    )
    account = f"system:serviceaccount:{namespace}:robot"
    assert refused(User=account) == (
        'serviceaccounts "robot" is forbidden: User "jane" cannot impersonate resource '
        f'"serviceaccounts" in API group "" in the namespace "{namespace}"'
    )


def test_groups_of_nobody(api: RawApi) -> None:
    answer = who(api, Group="g1")
    assert (answer.code, answer.message) == (
        400,
        "requested [{Group  g1    }] without impersonating a user",
    )


def test_nobody_acts_as_somebody(server: ThreadedApiServer) -> None:
    with RawApi(server.url, server.pki.pair("ca").certificate) as nobody:
        assert who(nobody, User="joe").code == 403


def test_kubectl_as(server: ThreadedApiServer, tmp_path: Path, namespace: str) -> None:
    kubectl = Kubectl(server.kubeconfig, tmp_path, namespace)
    shown = kubectl("auth", "whoami", "--as", "joe", "--as-group", "a", "--as-group", "b")
    assert "joe" in shown
    assert "[a b system:authenticated]" in shown
