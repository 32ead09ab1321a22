"""Secrets that bear a token without an end: filled, believed, and gone with their account."""

import base64
from typing import Any

from control_plane.api.legacy_tokens import INVALID_SINCE, LAST_USED
from control_plane.api.objects import dig
from control_plane.api.resources import (
    SECRETS,
    SELFSUBJECTREVIEWS,
    SERVICEACCOUNTS,
    TOKENREVIEWS,
)
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.controllers.account_token_secrets import Issuing, claims, plan, read_key
from tests.control_plane.controllers.stage import Stage

Object = dict[str, Any]
NAMESPACE = "tokens"


def secret(name: str, account: str) -> Object:
    return {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "annotations": {"kubernetes.io/service-account.name": account},
        },
        "type": "kubernetes.io/service-account-token",
    }


async def user_of(stage: Stage, token: str) -> Object:
    """Who the server takes a token's bearer for; {} for nobody."""
    config = ClientConfig.from_kubeconfig(stage.server.kubeconfig)
    plain = ClientConfig(config.server, config.ca_pem, token=token)
    async with ApiClient(plain) as client:
        answer = await client.create(SELFSUBJECTREVIEWS, {})
    found: Object = dig(answer, "status", "userInfo", default={})
    return found


def labels(stage: Stage) -> Object:
    found = stage.get(SECRETS, f"{NAMESPACE}/robot-token") or {}
    return dict(dig(found, "metadata", "labels", default={}))


async def test_a_secret_bears_its_accounts_token(stage: Stage) -> None:
    await stage.namespace(NAMESPACE)
    made = await stage.client.create(
        SERVICEACCOUNTS, {"metadata": {"name": "robot", "namespace": NAMESPACE}}
    )
    await stage.client.create(SECRETS, secret("robot-token", "robot"))

    def data() -> Object:
        found: Object = dig(
            stage.get(SECRETS, f"{NAMESPACE}/robot-token") or {}, "data", default={}
        )
        return found

    await stage.until(lambda: "token" in data(), "the token")
    assert base64.b64decode(data()["namespace"]).decode() == NAMESPACE
    assert base64.b64decode(data()["ca.crt"]).startswith(b"-----BEGIN CERTIFICATE-----")
    token = base64.b64decode(data()["token"]).decode()
    user = await user_of(stage, token)
    assert user["username"] == f"system:serviceaccount:{NAMESPACE}:robot"
    assert user["uid"] == made["metadata"]["uid"]
    await stage.until(lambda: LAST_USED in labels(stage), "the day of its use")
    invalid = {"metadata": {"labels": {INVALID_SINCE: "2026-01-01"}}}
    await stage.client.patch(SECRETS, "robot-token", invalid, NAMESPACE)
    review = {"spec": {"token": token, "audiences": []}}
    status = (await stage.client.create(TOKENREVIEWS, review))["status"]
    assert "authenticated" not in status
    assert f"secret {NAMESPACE}/robot-token for service account" in status["error"]
    await stage.client.delete(SERVICEACCOUNTS, "robot", NAMESPACE)
    await stage.until(
        lambda: stage.get(SECRETS, f"{NAMESPACE}/robot-token") is None, "the secret's end"
    )


async def test_a_secret_of_nobody_is_removed(stage: Stage) -> None:
    namespace = await stage.namespace("lost-tokens")
    lost = secret("lost", "nobody")
    lost["metadata"]["namespace"] = namespace
    await stage.client.create(SECRETS, lost)
    await stage.until(lambda: stage.get(SECRETS, f"{namespace}/lost") is None, "its end")


def test_what_is_there_stays(stage: Stage) -> None:
    issuing = Issuing(read_key(stage.server.pki.service_account_key), "PEM")
    account = {"metadata": {"name": "robot", "namespace": NAMESPACE, "uid": "u"}}
    first = plan(issuing, secret("s", "robot"), account)
    assert first is not None
    assert plan(issuing, first, account) is None
    kept = {**first, "data": {"token": "mine", "other": "x"}}
    again = plan(issuing, kept, account)
    assert again is not None
    assert (again["data"]["token"], again["data"]["other"]) == ("mine", "x")
    assert claims(first, account)["sub"] == f"system:serviceaccount:{NAMESPACE}:robot"
