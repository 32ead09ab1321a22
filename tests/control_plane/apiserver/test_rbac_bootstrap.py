"""The roles and bindings of every cluster: there from the start, and completed at every start."""

from pathlib import Path
from typing import Any

import pytest

from control_plane.apiserver.auth.rbac.bootstrap_policy import (
    cluster_role_bindings,
    cluster_roles,
    policy_rule,
    role_bindings,
    roles,
)
from control_plane.apiserver.auth.rbac.reconciling import is_of_another_role, reconciled
from tests.control_plane.apiserver.conftest import raw_api
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.raw_api import RawApi

RBAC = "/apis/rbac.authorization.k8s.io/v1"
LABEL = "kubernetes.io/bootstrapping=rbac-defaults"
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"


@pytest.mark.parametrize(
    ("plural", "count"),
    [("clusterroles", 68), ("clusterrolebindings", 49), ("roles", 7), ("rolebindings", 7)],
)
def test_they_are_there_when_the_server_is_ready(api: RawApi, plural: str, count: int) -> None:
    items = api.get(f"{RBAC}/{plural}?labelSelector={LABEL}").json["items"]
    assert len(items) == count
    assert {item["metadata"]["annotations"][AUTOUPDATE] for item in items} == {"true"}
    hook = api.get("/readyz/poststarthook/rbac/bootstrap-roles")
    assert (hook.code, hook.text) == (200, "ok")


def test_every_binding_names_a_role_that_is_there() -> None:
    names = {role["metadata"]["name"] for role in cluster_roles()}
    assert {binding["roleRef"]["name"] for binding in cluster_role_bindings()} <= names
    places = {(role["metadata"]["namespace"], role["metadata"]["name"]) for role in roles()}
    for binding in role_bindings():
        assert (binding["metadata"]["namespace"], binding["roleRef"]["name"]) in places


def test_the_notation_of_rules() -> None:
    assert policy_rule("RU apps,core b,a x") == {
        "verbs": ["get", "list", "patch", "update", "watch"],
        "apiGroups": ["", "apps"],
        "resources": ["a", "b"],
        "resourceNames": ["x"],
    }
    assert policy_rule("* *") == {"verbs": ["*"], "nonResourceURLs": ["*"]}


def _role(*rules: str, **annotations: str) -> dict[str, Any]:
    metadata = {"name": "r", "labels": {"a": "1"}, "annotations": annotations}
    return {"metadata": metadata, "rules": [policy_rule(rule) for rule in rules]}


def test_what_a_role_lacks_is_added() -> None:
    current = _role("get core pods", "* apps deployments", mine="x")
    wanted = _role("get,list core pods", "update apps deployments", "get /x", note="y")
    new = reconciled(current, wanted)
    assert new is not None
    assert new["rules"] == [
        *current["rules"],
        policy_rule("list core pods"),
        policy_rule("get /x"),
    ]
    assert new["metadata"]["annotations"] == {"mine": "x", "note": "y"}
    assert reconciled(new, wanted) is None
    assert reconciled({**current, "metadata": _role(**{AUTOUPDATE: "false"})["metadata"]}, wanted) \
        is None  # fmt: skip


def test_what_a_binding_lacks_is_added() -> None:
    ref = {"apiGroup": "g", "kind": "ClusterRole", "name": "r"}
    jane, joe = ({"kind": "User", "apiGroup": "g", "name": name} for name in ("jane", "joe"))
    current = {"metadata": {"name": "b"}, "roleRef": ref, "subjects": [jane]}
    wanted = {"metadata": {"name": "b"}, "roleRef": ref, "subjects": [joe]}
    assert (reconciled(current, wanted) or {})["subjects"] == [jane, joe]
    assert not is_of_another_role(current, wanted)
    assert is_of_another_role({**current, "roleRef": {**ref, "name": "s"}}, wanted)


def test_a_start_completes_what_it_finds(store: Etcd | Datastore, tmp_path: Path) -> None:
    def server() -> ThreadedApiServer:
        prefix = f"/roles-{tmp_path.name}"
        return ThreadedApiServer(store.endpoint, tmp_path, etcd_prefix=prefix)

    extra = {"verbs": ["get"], "nonResourceURLs": ["/extra"]}
    basic, viewer, discovery = (
        f"{RBAC}/{path}"
        for path in (
            "clusterroles/system:basic-user",
            "clusterroles/system:public-info-viewer",
            "clusterrolebindings/system:discovery",
        )
    )
    with server() as first, raw_api(first) as api:
        whole = api.get(basic).json["rules"]
        assert api.patch(basic, {"rules": [extra]}).code == 200
        off = {"metadata": {"annotations": {AUTOUPDATE: "false"}}, "rules": [extra]}
        assert api.patch(viewer, off).code == 200
        binding = api.get(discovery).json
        assert api.delete(discovery).code == 200
        other = {**binding["roleRef"], "name": "system:basic-user"}
        metadata = {"name": "system:discovery"}
        assert api.post(
            f"{RBAC}/clusterrolebindings", {"metadata": metadata, "roleRef": other}
        ).code == 201  # fmt: skip
        assert api.delete(f"{RBAC}/clusterroles/view").code == 200
        kept = api.get(f"{RBAC}/clusterroles/system:node").json["metadata"]["resourceVersion"]
    with server() as second, raw_api(second) as api:
        rules = api.get(basic).json["rules"]
        assert rules[0] == extra
        for rule in whole:
            for resource in rule["resources"]:
                assert {**rule, "resources": [resource]} in rules
        assert api.get(viewer).json["rules"] == [extra]
        assert api.get(discovery).json["roleRef"] == binding["roleRef"]
        assert api.get(f"{RBAC}/clusterroles/view").code == 200
        node = api.get(f"{RBAC}/clusterroles/system:node").json
        assert node["metadata"]["resourceVersion"] == kept
