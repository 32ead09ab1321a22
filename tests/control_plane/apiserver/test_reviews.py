"""Reviews: who am I, whose token is this, who may do what.

Conformance: "[sig-auth] SubjectReview should support SubjectReview API operations".
"""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane.pki.authority import Authority, Identity, KeyPair
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

AUTHENTICATION = "/apis/authentication.k8s.io/v1"
AUTHORIZATION = "/apis/authorization.k8s.io/v1"
POD = {"resource": "pods", "verb": "list", "namespace": "default"}


@pytest.fixture
def jane(server: ThreadedApiServer, tmp_path: Path) -> Iterator[RawApi]:
    """Somebody with a certificate of the cluster's authority, but without rights."""
    now = datetime.datetime.now(datetime.UTC)
    pair = KeyPair(tmp_path / "jane.crt", tmp_path / "jane.key")
    Authority.open(server.pki.pair("ca"), now).ensure(pair, Identity("jane", ("dev",)), now)
    with RawApi(server.url, server.pki.pair("ca").certificate, pair) as client:
        yield client


@pytest.fixture
def kubectl(server: ThreadedApiServer, tmp_path: Path, namespace: str) -> Kubectl:
    return Kubectl(server.kubeconfig, tmp_path, namespace)


def review(api: RawApi, plural: str, spec: dict[str, Any], namespace: str = "") -> Any:
    place = f"/namespaces/{namespace}" if namespace else ""
    answer = api.post(f"{AUTHORIZATION}{place}/{plural}", {"spec": spec})
    assert answer.code == 201, answer.text
    return answer.json["status"]


def token_review(api: RawApi, token: str, audiences: list[str] | None = None) -> Any:
    spec = {"token": token, **({"audiences": audiences} if audiences else {})}
    answer = api.post(f"{AUTHENTICATION}/tokenreviews", {"spec": spec})
    assert answer.code == 201, answer.text
    assert answer.json["kind"] == "TokenReview"
    return answer.json["status"]


@pytest.mark.conformance(
    "[sig-auth] SubjectReview should support SubjectReview API operations [Conformance]",
)
def test_subject_review_api_operations(api: RawApi, namespace: str) -> None:
    account = f"system:serviceaccount:{namespace}:default"
    spec = {"user": account, "resourceAttributes": {**POD, "namespace": namespace}}
    assert review(api, "subjectaccessreviews", spec) == {"allowed": False}
    assert review(api, "localsubjectaccessreviews", spec, namespace) == {"allowed": False}
    masters = {**spec, "groups": ["system:masters"]}
    assert review(api, "subjectaccessreviews", masters) == {"allowed": True}
    assert review(api, "localsubjectaccessreviews", masters, namespace) == {"allowed": True}


def test_anybody_who_is_known_may_ask_about_themselves(jane: RawApi) -> None:
    denied = review(jane, "selfsubjectaccessreviews", {"resourceAttributes": POD})
    assert denied == {"allowed": False}
    path = {"nonResourceAttributes": {"path": "/apis/apps", "verb": "get"}}
    assert review(jane, "selfsubjectaccessreviews", path) == {
        "allowed": True,
        "reason": 'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole '
        '"system:discovery" to Group "system:authenticated"',
    }
    rules = review(jane, "selfsubjectrulesreviews", {"namespace": "default"})
    assert rules["incomplete"] is False
    assert {
        "verbs": ["create"],
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    } in rules["resourceRules"]
    assert any("/apis/*" in rule["nonResourceURLs"] for rule in rules["nonResourceRules"])
    about_others = jane.post(f"{AUTHORIZATION}/subjectaccessreviews", {"spec": {"user": "x"}})
    assert about_others.code == 403


def test_who_am_i(jane: RawApi, api: RawApi, kubectl: Kubectl) -> None:
    answer = jane.post(f"{AUTHENTICATION}/selfsubjectreviews", {})
    assert answer.code == 201, answer.text
    user = answer.json["status"]["userInfo"]
    assert (user["username"], user["groups"]) == ("jane", ["dev", "system:authenticated"])
    (credential,) = user["extra"]["authentication.kubernetes.io/credential-id"]
    assert credential.startswith("X509SHA256=")
    assert "kubernetes-admin" in kubectl("auth", "whoami")


def test_kubectl_can_i(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "create", "pods/exec").strip() == "yes"
    assert kubectl("auth", "can-i", "get", "/metrics").strip() == "yes"
    assert "*.*" in kubectl("auth", "can-i", "--list")


@pytest.mark.parametrize(
    ("plural", "spec", "message"),
    [
        (
            "selfsubjectaccessreviews",
            {},
            "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes "
            "or resourceAttributes must be specified",
        ),
        (
            "selfsubjectaccessreviews",
            {"resourceAttributes": POD, "nonResourceAttributes": {"path": "/x"}},
            'spec.nonResourceAttributes: Invalid value: {"path":"/x"}: cannot be specified in '
            "combination with resourceAttributes",
        ),
        (
            "subjectaccessreviews",
            {"resourceAttributes": POD},
            'spec.user: Invalid value: "": at least one of user or group must be specified',
        ),
        (
            "subjectaccessreviews",
            {"user": "u", "resourceAttributes": {**POD, "fieldSelector": {}}},
            "spec.resourceAttributes.fieldSelector.requirements: Required value: when "
            "spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is "
            "required",
        ),
    ],
)
def test_questions_that_make_no_sense(
    api: RawApi, plural: str, spec: dict[str, Any], message: str
) -> None:
    answer = api.post(f"{AUTHORIZATION}/{plural}", {"spec": spec})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message.endswith(f'.authorization.k8s.io "" is invalid: {message}')


def test_reviews_have_no_names(api: RawApi) -> None:
    body = {"metadata": {"name": "x"}, "spec": {"user": "u", "resourceAttributes": POD}}
    named = api.post(f"{AUTHORIZATION}/subjectaccessreviews", body)
    assert named.code == 422
    assert named.message.endswith("must be empty")
    local = api.post(f"{AUTHORIZATION}/namespaces/none/localsubjectaccessreviews", {
        "spec": {"user": "u", "resourceAttributes": POD}
    })  # fmt: skip
    assert local.message.endswith("must match metadata.namespace")
    place = api.post(f"{AUTHORIZATION}/selfsubjectrulesreviews", {"spec": {}})
    assert (place.code, place.message) == (400, "no namespace on request")


def test_selectors_that_are_not_understood_are_told(api: RawApi) -> None:
    fields = {"requirements": [{"key": "a", "operator": "In", "values": ["1"]}, {"key": "b"}]}
    labels = {"rawSelector": "a in"}
    attributes = {**POD, "fieldSelector": fields, "labelSelector": labels}
    status = review(api, "subjectaccessreviews", {"user": "u", "resourceAttributes": attributes})
    assert status["evaluationError"] == (
        "spec.resourceAttributes.fieldSelector partially ignored due to parse error; "
        "spec.resourceAttributes.labelSelector ignored due to parse error"
    )


def test_whose_token_is_it(api: RawApi, namespace: str) -> None:
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    made = api.post(f"{accounts}/default/token", {}).json["status"]["token"]
    status = token_review(api, made)
    assert status["authenticated"] is True
    assert status["user"]["username"] == f"system:serviceaccount:{namespace}:default"
    (credential,) = status["user"]["extra"]["authentication.kubernetes.io/credential-id"]
    assert credential.startswith("JTI=")
    issuer = status["audiences"]
    assert token_review(api, made, issuer)["audiences"] == issuer
    assert token_review(api, made, ["a"]) == {
        "user": {},
        "error": f'[invalid bearer token, token audiences ["{issuer[0]}"] is invalid for the '
        'target audiences ["a"]]',
    }
    assert token_review(api, "nonsense") == {"user": {}, "error": "invalid bearer token"}


def test_a_review_without_a_token(api: RawApi) -> None:
    answer = api.post(f"{AUTHENTICATION}/tokenreviews", {"spec": {}})
    assert (answer.code, answer.message) == (
        400,
        "token is required for TokenReview in authentication",
    )


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_reviews_can_only_be_created(api: RawApi, method: str) -> None:
    assert api.request(method, f"{AUTHORIZATION}/subjectaccessreviews", {}).code == 405
