"""Aggregated roles, for real; and what the roles of every cluster then allow to whom.

A part of the matrix of verbs, resources and identities is asked of the server, and compared with
the rules of the bootstrap roles, gone through one by one. All of it is asked of the authorizer in
tests/control_plane/apiserver/test_access_matrix.py.
"""

import itertools
from typing import Any

from control_plane.api.objects import dig
from control_plane.api.resources import (
    BUILT_IN,
    CLUSTERROLES,
    ROLEBINDINGS,
    SUBJECTACCESSREVIEWS,
)
from control_plane.apiserver.auth.rbac.bootstrap_policy import cluster_roles
from control_plane.apiserver.auth.rbac.permissions import rules_of
from control_plane.apiserver.auth.rules import Attributes, Rules
from control_plane.controllers.role_aggregation import aggregated_rules
from tests.control_plane.controllers.stage import Stage

Object = dict[str, Any]
GROUP = "rbac.authorization.k8s.io"
TO_MINE = {"example.org/mine": "true"}
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
NAMESPACE = "team"
DISCOVERY = ("system:basic-user", "system:discovery", "system:public-info-viewer")
# who, their groups, their cluster roles, and their cluster role in the namespace
IDENTITIES: tuple[tuple[str, tuple[str, ...], tuple[str, ...], str], ...] = (
    ("system:anonymous", ("system:unauthenticated",), ("system:public-info-viewer",), ""),
    ("nobody", ("system:authenticated",), DISCOVERY, ""),
    ("an-admin", ("system:authenticated",), DISCOVERY, "admin"),
    ("an-editor", ("system:authenticated",), DISCOVERY, "edit"),
    ("a-viewer", ("system:authenticated",), DISCOVERY, "view"),
    (
        "system:kube-scheduler",
        ("system:authenticated",),
        (*DISCOVERY, "system:kube-scheduler", "system:volume-scheduler"),
        "",
    ),
    (
        "system:serviceaccount:kube-system:deployment-controller",
        ("system:serviceaccounts", "system:authenticated"),
        (
            *DISCOVERY,
            "system:service-account-issuer-discovery",
            "system:controller:deployment-controller",
        ),
        "",
    ),
    (
        "system:serviceaccount:team:default",
        ("system:serviceaccounts", "system:serviceaccounts:team", "system:authenticated"),
        (*DISCOVERY, "system:service-account-issuer-discovery"),
        "",
    ),
)


def _role(name: str, *verbs: str, labels: Object | None = None) -> Object:
    rule = {"verbs": list(verbs), "apiGroups": [""], "resources": ["pods"]}
    return {"metadata": {"name": name, "labels": labels or {}}, "rules": [rule]}


def _aggregated(name: str, rules: list[Object] | None = None) -> Object:
    selector = {"clusterRoleSelectors": [{"matchLabels": TO_MINE}]}
    return {"metadata": {"name": name}, "aggregationRule": selector, "rules": rules}


def test_rules_are_in_the_order_of_the_roles_names_and_each_once() -> None:
    whole = _aggregated("all")
    b, a, c = (_role(n, v, labels=TO_MINE) for n, v in (("b", "get"), ("a", "list"), ("c", "get")))
    other = _role("d", "delete")
    own = {**whole, "metadata": {"name": "all", "labels": TO_MINE}, "rules": other["rules"]}
    assert aggregated_rules(own, [b, other, a, c, own]) == [a["rules"][0], b["rules"][0]]
    assert aggregated_rules(whole, []) == []


async def test_a_role_follows_those_that_it_selects(stage: Stage) -> None:
    def verbs() -> list[list[str]]:
        role = stage.get(CLUSTERROLES, "mine") or {}
        return [rule["verbs"] for rule in role.get("rules") or ()]

    await stage.client.create(CLUSTERROLES, _role("one", "get", labels=TO_MINE))
    await stage.client.create(CLUSTERROLES, _aggregated("mine"))
    await stage.until(lambda: verbs() == [["get"]], "the first rule")
    await stage.client.create(CLUSTERROLES, _role("two", "list", labels=TO_MINE))
    await stage.until(lambda: verbs() == [["get"], ["list"]], "the second rule")
    await stage.client.patch(CLUSTERROLES, "one", {"metadata": {"labels": None}})
    await stage.until(lambda: verbs() == [["list"]], "the end of the first")
    await stage.client.patch(CLUSTERROLES, "mine", {"rules": []})
    await stage.until(lambda: verbs() == [["list"]], "the rules again")
    await stage.client.delete(CLUSTERROLES, "two")
    await stage.until(lambda: verbs() == [], "the end of the second")
    for name in ("one", "mine"):
        await stage.client.delete(CLUSTERROLES, name)


def _expected_roles() -> dict[str, Rules]:
    """The rules of every bootstrap role by its name, aggregated ones in full."""
    objects = {role["metadata"]["name"]: role for role in cluster_roles()}
    for name in ("view", "edit", "admin"):
        objects[name]["rules"] = aggregated_rules(objects[name], objects.values())
    return {name: rules_of(role["rules"]) for name, role in objects.items()}


def _questions() -> list[Attributes]:
    found = []
    for row, verb in itertools.product(BUILT_IN.rows, VERBS):
        place = NAMESPACE if row.namespaced else ""
        for subresource in ("", *(one.name for one in row.subresources)):
            name = "" if verb in ("list", "watch", "create", "deletecollection") else "x"
            found.append(Attributes(verb, "", row.group, row.plural, subresource, place, name))
    return found


PART = 29  # of the questions one is asked: a prime, so that all verbs come


async def test_verbs_on_resources_for_every_identity(stage: Stage) -> None:
    await stage.namespace(NAMESPACE)
    for user, _, _, role in IDENTITIES:
        if role:
            subject = {"apiGroup": GROUP, "kind": "User", "name": user}
            ref = {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}
            metadata = {"name": role, "namespace": NAMESPACE}
            binding = {"metadata": metadata, "roleRef": ref, "subjects": [subject]}
            await stage.client.create(ROLEBINDINGS, binding)
    expected = _expected_roles()
    await stage.until(
        lambda: (
            rules_of((stage.get(CLUSTERROLES, "admin") or {}).get("rules")) == expected["admin"]
        ),
        "the rules of the administrator",
    )
    wrong, cells = [], 0
    for user, groups, everywhere, here in IDENTITIES:
        for asked in _questions()[::PART]:
            names = (*everywhere, here) if asked.namespace and here else everywhere
            wanted = any(expected[name].allow(asked) for name in names)
            cells += 1
            if await _allowed(stage, user, groups, asked) != wanted:
                wrong.append((user, asked, wanted))
    assert not wrong
    assert cells > 200


async def _allowed(stage: Stage, user: str, groups: tuple[str, ...], asked: Attributes) -> bool:
    fields = ("verb", "group", "resource", "subresource", "namespace", "name")
    attributes = {field: getattr(asked, field) for field in fields}
    spec = {"user": user, "groups": list(groups), "resourceAttributes": attributes}
    answer = await stage.client.create(SUBJECTACCESSREVIEWS, {"spec": spec})
    return bool(dig(answer, "status", "allowed"))
