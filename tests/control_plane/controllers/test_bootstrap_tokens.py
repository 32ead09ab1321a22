"""Bootstrap tokens sign cluster-info, and go when they are over."""

import asyncio
import base64
import datetime
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from control_plane.api.errors import NotFound
from control_plane.api.resources import CONFIGMAPS, SECRETS
from control_plane.client.client import ApiClient
from control_plane.controllers.bootstrap.signer import plan, signature
from control_plane.controllers.bootstrap.tokens import SigningToken, seconds_left, signing_token
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.server import chosen
from tests.control_plane.controllers.stage import Stage, staged
from tests.support.apiserver import cluster_pki
from tests.support.running_stores import Store

NOW = datetime.datetime(2026, 5, 1, 12, 0, tzinfo=datetime.UTC)
BOTH = ("bootstrap-signer-controller", "token-cleaner-controller")
Object = dict[str, Any]


def token(token_id: str, **data: str) -> Object:
    content = {
        "token-id": token_id,
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-signing": "true",
        **{key.replace("_", "-"): value for key, value in data.items()},
    }
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"bootstrap-token-{token_id}", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "data": encoded,
    }


def info(**data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "cluster-info", "namespace": "kube-public"},
        "data": {"kubeconfig": "the signed text", **data},
    }


@pytest.mark.parametrize(
    ("secret", "may_sign"),
    [
        (token("abcdef"), True),
        (token("abcdef", expiration="2026-05-01T12:00:01Z"), True),
        (token("abcdef", expiration="2026-05-01T12:00:00Z"), False),
        (token("abcdef", expiration="soon"), False),
        (token("abcdef", usage_bootstrap_signing="false"), False),
        (token("abcdef", token_secret="short"), False),
        (token("ABCDEF"), False),
        ({**token("abcdef"), "type": "Opaque"}, False),
    ],
)
def test_which_tokens_sign(secret: Object, may_sign: bool) -> None:
    assert (signing_token(secret, NOW) is not None) is may_sign


def test_how_long_a_token_is_good() -> None:
    assert seconds_left(token("abcdef"), NOW) is None
    assert seconds_left(token("abcdef", expiration="2026-05-01T13:00:00Z"), NOW) == 3600
    assert seconds_left(token("abcdef", expiration="2026-05-01T12:00:00"), NOW) == 0


def test_a_signature_is_a_jws_that_a_library_believes() -> None:
    secret = "0123456789abcdef" * 2  # a token's is half as long, of which the library warns
    header, nothing, mac = signature("text", SigningToken("abcdef", secret)).split(".")
    payload = base64.urlsafe_b64encode(b"text").rstrip(b"=").decode()
    decoded = jwt.PyJWS().decode_complete(f"{header}.{payload}.{mac}", secret, ["HS256"])
    assert nothing == ""
    assert decoded["payload"] == b"text"
    assert decoded["header"] == {"alg": "HS256", "kid": "abcdef"}


def test_signatures_of_other_tokens_go() -> None:
    mine = SigningToken("abcdef", "0123456789abcdef")
    changed = plan(info(**{"jws-kubeconfig-gone00": "x", "other": "stays"}), [mine])
    assert changed is not None
    assert set(changed["data"]) == {"kubeconfig", "other", "jws-kubeconfig-abcdef"}
    assert plan(changed, [mine]) is None


def test_both_are_off_unless_they_are_named(tmp_path: Path) -> None:
    kubeconfig = cluster_pki(tmp_path, "https://127.0.0.1:1").kubeconfig("controller-manager")
    everything = ControllersConfig(kubeconfig, ("*",))
    assert not {one.name for one in chosen(everything)} & set(BOTH)
    named = ControllersConfig(kubeconfig, ("*", *BOTH))
    assert {one.name for one in chosen(named)} >= set(BOTH)


@pytest.fixture
async def stage(controllers_store: Store, tmp_path: Path) -> AsyncIterator[Stage]:
    endpoint = controllers_store.endpoint
    async with staged(endpoint, tmp_path, kubelet=False, controllers=BOTH) as stage:
        yield stage


async def test_cluster_info_is_signed_until_the_token_is_over(stage: Stage) -> None:
    client = stage.client
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=3)
    await client.create(CONFIGMAPS, info())
    await client.create(SECRETS, token("aaaaaa"))
    await client.create(SECRETS, token("bbbbbb", expiration=f"{soon:%Y-%m-%dT%H:%M:%SZ}"))

    async with asyncio.timeout(90):
        while True:
            found = await client.get(CONFIGMAPS, "cluster-info", "kube-public")
            signers = {key[-6:] for key in found["data"] if key.startswith("jws-kubeconfig-")}
            if signers == {"aaaaaa"} and await _is_gone(client, "bootstrap-token-bbbbbb"):
                return
            await asyncio.sleep(0.1)


async def _is_gone(client: ApiClient, name: str) -> bool:
    try:
        await client.get(SECRETS, name, "kube-system")
    except NotFound:
        return True
    return False
