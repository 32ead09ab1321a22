"""Tokens of service accounts in the audit log, and what the server says of them elsewhere."""

import dataclasses
import re
import time
import uuid

import jwt

from control_plane.apiserver.auth.tokens import TokenSigner, TokenSubject
from tests.control_plane.apiserver.audit.conftest import MAX_SECONDS, OLD_ISSUER
from tests.control_plane.apiserver.audit.recording import Log, counted
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

MAPS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


def account(api: RawApi) -> tuple[str, str]:
    """The name and the uid of a new service account."""
    name = f"a-{uuid.uuid4().hex[:8]}"
    return name, api.post(ACCOUNTS, {"metadata": {"name": name}}).json["metadata"]["uid"]


def test_a_token_that_its_pod_should_have_replaced_is_recorded(
    server: ThreadedApiServer, api: RawApi, log: Log
) -> None:
    name, uid = account(api)
    keys = server.server.config.service_accounts
    subject, began = TokenSubject("default", name, uid, {}), time.time() - 4000
    stale, valid = (
        TokenSigner(keys).sign(subject, keys.audiences, 10_000, began, warn_after).token
        for warn_after in (3607, 9000)
    )
    for token in (stale, valid):
        with RawApi(server.url, server.pki.pair("ca").certificate, token=token) as client:
            answers = [client.get(MAPS) for _ in range(2)]  # the second one from memory
        for answer in answers:
            (event,) = log.of(answer.headers["Audit-Id"], 1)
            noted = event["annotations"].get("authentication.k8s.io/stale-token", "")
            expected = f"subject: system:serviceaccount:default:{name}, seconds after warning thr"
            assert noted.startswith(expected) is (token == stale)
    assert counted(api, "serviceaccount_stale_tokens_total") == 1
    assert counted(api, "serviceaccount_valid_tokens_total") == 1
    assert counted(api, "serviceaccount_legacy_tokens_total") == 0


def test_uses_of_a_token_in_a_secret_are_recorded(
    server: ThreadedApiServer, api: RawApi, log: Log
) -> None:
    name, uid = account(api)
    annotations = {"kubernetes.io/service-account.name": name}
    body = {"metadata": {"name": name, "annotations": annotations}}
    assert api.post(SECRETS, {**body, "type": "kubernetes.io/service-account-token"}).code == 201
    prefix = "kubernetes.io/serviceaccount"
    claims = {
        "iss": "kubernetes/serviceaccount",
        "sub": f"system:serviceaccount:default:{name}",
        f"{prefix}/namespace": "default",
        f"{prefix}/secret.name": name,
        f"{prefix}/service-account.name": name,
        f"{prefix}/service-account.uid": uid,
    }
    key = server.pki.service_account_key.read_text()
    token = jwt.encode(claims, key, algorithm="RS256")
    assert api.patch(f"{SECRETS}/{name}", {"stringData": {"token": token}}).code == 200
    before = counted(api, "serviceaccount_legacy_manual_token_uses_total")
    with RawApi(server.url, server.pki.pair("ca").certificate, token=token) as client:
        wait_until(lambda: client.get(MAPS).code == 403, "the secret to be known")
        answer = client.get(MAPS)
    (event,) = log.of(answer.headers["Audit-Id"], 1)
    notes = event["annotations"]
    assert notes["authentication.k8s.io/legacy-token"] == claims["sub"]
    assert notes["authentication.k8s.io/legacy-token-manual-secret"] == name
    assert counted(api, "serviceaccount_legacy_manual_token_uses_total") == before + 1
    labels = api.get(f"{SECRETS}/{name}").json["metadata"]["labels"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", labels["kubernetes.io/legacy-token-last-used"])


def test_a_token_of_an_issuer_of_before_is_believed(server: ThreadedApiServer, api: RawApi) -> None:
    name, uid = account(api)
    keys = server.server.config.service_accounts
    subject = TokenSubject("default", name, uid, {})
    for issuer, code in ((OLD_ISSUER, 403), ("https://other.example.com", 401)):
        signer = TokenSigner(dataclasses.replace(keys, issuer=issuer))
        token = signer.sign(subject, keys.audiences, 600, time.time()).token
        with RawApi(server.url, server.pki.pair("ca").certificate, token=token) as client:
            assert client.get(MAPS).code == code


def test_a_token_is_no_longer_good_than_the_server_allows(api: RawApi, log: Log) -> None:
    name, _ = account(api)
    answer = api.post(f"{ACCOUNTS}/{name}/token", {"spec": {"expirationSeconds": 100_000}})
    assert answer.code == 201
    text = f"requested expiration of 100000 seconds shortened to {MAX_SECONDS} seconds"
    assert answer.headers["Warning"] == f'299 - "{text}"'
    assert answer.json["spec"]["expirationSeconds"] == MAX_SECONDS
    claims = jwt.decode(answer.json["status"]["token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == MAX_SECONDS
    _, complete = log.of(answer.headers["Audit-Id"])
    issued = complete["annotations"]["authentication.kubernetes.io/issued-credential-id"]
    assert issued == f"JTI={claims['jti']}"
