"""The conformance behaviours of sig-auth that need no running pods, each under its own name."""

import itertools
from typing import Any

import jwt
import pytest

from tests.control_plane.apiserver.objects import pod
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def make_account(api: RawApi, namespace: str, name: str, **fields: Any) -> str:
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    answer = api.post(accounts, {"metadata": {"name": name, "labels": {"e2e": name}}, **fields})
    assert answer.code == 201, answer.text
    return f"{accounts}/{name}"


def token_of(api: RawApi, account: str, **spec: Any) -> str:
    answer = api.post(f"{account}/token", {"spec": spec})
    assert answer.code == 201, answer.text
    return str(answer.json["status"]["token"])


@pytest.mark.conformance(
    "[sig-auth] ServiceAccounts should create a serviceAccountToken and ensure "
    "a successful TokenReview [Conformance]"
)
def test_service_accounts_should_create_a_token_and_ensure_a_successful_token_review(
    api: RawApi, namespace: str
) -> None:
    account = make_account(api, namespace, "e2e-sa")
    token = token_of(api, account, expirationSeconds=3600)
    status = api.post(REVIEWS, {"spec": {"token": token}}).json["status"]
    assert status["authenticated"] is True
    assert "error" not in status
    assert status["user"]["username"] == f"system:serviceaccount:{namespace}:e2e-sa"
    assert f"system:serviceaccounts:{namespace}" in status["user"]["groups"]
    other = api.post(REVIEWS, {"spec": {"token": token, "audiences": ["vault"]}}).json["status"]
    assert "authenticated" not in other
    assert "invalid for the target audiences" in other["error"]


@pytest.mark.conformance(
    "[sig-auth] ServiceAccounts ServiceAccountIssuerDiscovery "
    "should support OIDC discovery of service account issuer [Conformance]"
)
def test_service_account_issuer_discovery_should_support_oidc_discovery(
    server: ThreadedApiServer, api: RawApi, namespace: str
) -> None:
    token = token_of(api, make_account(api, namespace, "discovering"), audiences=["oidc-test"])
    own = token_of(api, f"/api/v1/namespaces/{namespace}/serviceaccounts/discovering")
    ca = server.pki.pair("ca").certificate
    with RawApi(server.url, ca, token=own) as account:
        configuration = account.get("/.well-known/openid-configuration").json
        keys = account.get("/openid/v1/jwks").json
    (key,) = jwt.PyJWKSet.from_dict(keys).keys
    claims = jwt.decode(
        token,
        key.key,
        algorithms=configuration["id_token_signing_alg_values_supported"],
        issuer=configuration["issuer"],
        audience="oidc-test",
    )
    assert claims["sub"] == f"system:serviceaccount:{namespace}:discovering"
    assert claims["kubernetes.io"]["serviceaccount"]["name"] == "discovering"


@pytest.mark.conformance(
    "[sig-auth] ServiceAccounts should allow opting out of API token automount [Conformance]"
)
@pytest.mark.parametrize(
    ("of_account", "of_pod"), list(itertools.product((None, True, False), repeat=2))
)
def test_service_accounts_should_allow_opting_out_of_api_token_automount(
    api: RawApi, namespace: str, of_account: bool | None, of_pod: bool | None
) -> None:
    fields = {} if of_account is None else {"automountServiceAccountToken": of_account}
    make_account(api, namespace, "mounting", **fields)
    body = pod("p")
    body["spec"]["serviceAccountName"] = "mounting"
    if of_pod is not None:
        body["spec"]["automountServiceAccountToken"] = of_pod
    made = api.post(f"/api/v1/namespaces/{namespace}/pods", body).json
    mounts = made["spec"]["containers"][0].get("volumeMounts") or []
    wanted = of_pod if of_pod is not None else of_account is not False
    assert any(mount["mountPath"] == MOUNT for mount in mounts) == wanted
