"""Which rule of a policy decides about a request, and how much is recorded of it."""

import re
from typing import Any

import pytest
import yaml

from control_plane.apiserver.audit.policy import Level, Policy
from control_plane.apiserver.audit.policy_file import PolicyError, policy_of
from control_plane.apiserver.audit.request_info import RequestInfo, request_info
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.http.query import Query

ANN = User("ann", ("devs", "system:authenticated"))


def policy(*rules: dict[str, Any], **more: Any) -> Policy:
    document = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": list(rules), **more}
    return policy_of(yaml.safe_dump(document).encode())


def info(method: str, url: str) -> RequestInfo:
    path, _, query = url.partition("?")
    return request_info(method, path, Query(query.encode()))


POD = "/api/v1/namespaces/shop/pods/a"


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("GET", POD, ("get", "", "v1", "pods", "shop", "a", "")),
        ("GET", "/api/v1/pods", ("list", "", "v1", "pods", "", "", "")),
        ("GET", "/api/v1/pods?watch=true", ("watch", "", "v1", "pods", "", "", "")),
        ("GET", "/api/v1/watch/pods", ("watch", "", "v1", "pods", "", "", "")),
        ("GET", f"{POD}/log", ("get", "", "v1", "pods", "shop", "a", "log")),
        ("POST", f"{POD}/exec", ("create", "", "v1", "pods", "shop", "a", "exec")),
        ("GET", "/api/v1/namespaces/shop", ("get", "", "v1", "namespaces", "shop", "shop", "")),
        (
            "PUT",
            "/api/v1/namespaces/shop/finalize",
            ("update", "", "v1", "namespaces", "shop", "shop", "finalize"),
        ),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/shop/deployments",
            ("deletecollection", "apps", "v1", "deployments", "shop", "", ""),
        ),
        (
            "PATCH",
            "/apis/example.org/v1/widgets/w",
            ("patch", "example.org", "v1", "widgets", "", "w", ""),
        ),
        (
            "GET",
            "/api/v1/pods?fieldSelector=metadata.name%3Da",
            ("list", "", "v1", "pods", "", "a", ""),
        ),
        ("GET", "/healthz", ("get", "", "", "", "", "", "")),
        ("GET", "/apis/apps/v1", ("get", "", "", "", "", "", "")),
    ],
)
def test_what_a_request_is_about(method: str, url: str, expected: tuple[str, ...]) -> None:
    found = info(method, url)
    assert (found.verb, *found[2:]) == expected


SECRETS = {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets"]}]}


@pytest.mark.parametrize(
    ("rule", "method", "url", "matches"),
    [
        ({}, "GET", POD, True),
        ({"users": ["ann"]}, "GET", POD, True),
        ({"users": ["bob"]}, "GET", POD, False),
        ({"userGroups": ["devs"]}, "GET", POD, True),
        ({"userGroups": ["ops"]}, "GET", POD, False),
        ({"verbs": ["get", "list"]}, "GET", POD, True),
        ({"verbs": ["watch"]}, "GET", POD, False),
        ({"namespaces": ["shop"]}, "GET", POD, True),
        ({"namespaces": [""]}, "GET", POD, False),
        ({"namespaces": [""]}, "GET", "/api/v1/nodes/n", True),
        ({"namespaces": [""]}, "GET", "/healthz", False),
        ({"resources": [{"resources": ["pods"]}]}, "GET", POD, True),
        ({"resources": [{"resources": ["pods"]}]}, "GET", f"{POD}/log", False),
        ({"resources": [{"resources": ["pods/log"]}]}, "GET", f"{POD}/log", True),
        ({"resources": [{"resources": ["pods/*"]}]}, "GET", f"{POD}/log", True),
        ({"resources": [{"resources": ["*/log"]}]}, "GET", f"{POD}/log", True),
        ({"resources": [{"resources": ["*"]}]}, "GET", f"{POD}/log", True),
        ({"resources": [{"group": ""}]}, "GET", f"{POD}/log", True),
        ({"resources": [{"group": "apps"}]}, "GET", POD, False),
        ({"resources": [{"resources": ["pods"], "resourceNames": ["a"]}]}, "GET", POD, True),
        ({"resources": [{"resources": ["pods"], "resourceNames": ["b"]}]}, "GET", POD, False),
        ({"nonResourceURLs": ["/healthz"]}, "GET", "/healthz", True),
        ({"nonResourceURLs": ["/health*"]}, "GET", "/healthz", True),
        ({"nonResourceURLs": ["/version"]}, "GET", "/healthz", False),
        ({"nonResourceURLs": ["*"]}, "GET", POD, False),
    ],
)
def test_a_rule_matches(rule: dict[str, Any], method: str, url: str, matches: bool) -> None:
    detail = policy({"level": "Request", **rule}).detail(info(method, url), ANN)
    assert detail.level is (Level.REQUEST if matches else Level.NONE)


def test_the_first_rule_that_matches_decides() -> None:
    both = policy({"level": "None", "users": ["ann"]}, {"level": "RequestResponse"})
    assert both.detail(info("GET", POD), ANN).level is Level.NONE
    assert both.detail(info("GET", POD), User("bob")).level is Level.REQUEST_RESPONSE


def test_stages_to_omit_add_up_and_a_rule_overrides_omit_managed_fields() -> None:
    rule = {"level": "Request", "omitStages": ["Panic"], "omitManagedFields": False}
    detail = policy(rule, omitStages=["RequestReceived"], omitManagedFields=True).detail(
        info("GET", POD), ANN
    )
    assert detail.omit_stages == {"Panic", "RequestReceived"}
    assert detail.omit_managed_fields is False


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ([], "loaded illegal policy with 0 rules"),
        ([{"level": "Everything"}], 'rules[0].level: Unsupported value: "Everything"'),
        ([{}], "rules[0].level: Unsupported value"),
        (
            [{**SECRETS, "nonResourceURLs": ["/x"]}],
            "rules cannot apply to both regular resources and non-resource URLs",
        ),
        (
            [{"level": "None", "nonResourceURLs": ["x"]}],
            "non-resource URL rules must begin with a '/' character",
        ),
        (
            [{"level": "None", "nonResourceURLs": ["/x*/y"]}],
            "non-resource URL wildcards '*' must be the final character of the rule",
        ),
        (
            [{"level": "None", "resources": [{"resourceNames": ["a"]}]}],
            "using resourceNames requires at least one resource",
        ),
        (
            [{"level": "None", "omitStages": ["Soon"]}],
            "rules[0].omitStages[0]: Invalid value: "
            '"Soon": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic',
        ),
        ([{"level": "None", "user": ["ann"]}], "rules[0].user: Invalid value"),
        ([{"level": "None", "users": "ann"}], "rules[0].users: Invalid value"),
    ],
)
def test_a_policy_with_an_error_is_refused_by_name(rules: list[Any], text: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(text)):
        policy(*rules)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"a: [", b"\xff", b"apiVersion: audit.k8s.io/v1beta1\nkind: Policy"]
)
def test_what_is_no_policy_is_refused(content: bytes) -> None:
    with pytest.raises(PolicyError):
        policy_of(content)
