"""JWT tokens: what they say, which are good, and what a change of auth does to them.

One server for each target, whose signing key the tests have too.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.contract.auth import refusals as no
from tests.contract.auth.client import (
    FAST,
    READWRITE,
    ROOT_PASSWORD,
    AuthClient,
    secure,
    sent,
)
from tests.contract.client import refusal
from tests.contract.requests import Put, Range
from tests.contract.targets import Launcher, Server

pytestmark = pytest.mark.any_backend
KEY = Ed25519PrivateKey.generate()
SECONDS = 600


@pytest.fixture(scope="module")
def signing(
    target: str, launcher: Launcher, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with JWT tokens, and auth on."""
    options = f"jwt,sign-method=EdDSA,ttl={SECONDS}s," + write_keys(tmp_path_factory.mktemp("jwt"))
    started = launcher.start(target, [FAST, f"--auth-token={options}"])
    asyncio.run(_secure(started.address))
    yield started
    started.stop()


def write_keys(directory: Path) -> str:
    """Write the keys and return the options that name them."""
    private, public = directory / "private.pem", directory / "public.pem"
    private.write_bytes(
        KEY.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    )
    public.write_bytes(
        KEY.public_key().public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)
    )
    return f"priv-key={private},pub-key={public}"


async def _secure(address: str) -> None:
    async with AuthClient(address) as client, await secure(client):
        pass


@pytest.fixture
async def root(signing: Server) -> AsyncIterator[AuthClient]:
    async with AuthClient(signing.address) as client:
        token = await client.login("root", ROOT_PASSWORD)
        async with client.other(sent(token)) as known:
            yield known


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, KEY.public_key(), algorithms=["EdDSA"]))


def signed(**claims: Any) -> str:
    return jwt.encode(claims, KEY, algorithm="EdDSA")


async def test_what_a_token_says(root: AuthClient) -> None:
    status = await root.status_of_auth()
    token = await root.login("root", ROOT_PASSWORD)
    head = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    claims = claims_of(token)

    assert head == {"alg": "EdDSA", "typ": "JWT"}
    assert 0 <= time.time() + SECONDS - claims.pop("exp") < 30
    assert claims == {"username": "root", "revision": status.authRevision}


async def test_whoever_has_the_key_makes_tokens(root: AuthClient) -> None:
    revision = (await root.status_of_auth()).authRevision
    later, earlier = time.time() + 60, time.time() - 1
    good = [
        signed(username="root", revision=revision),
        signed(username="root", revision=revision, exp=later, aud="x", iss="y", iat=later),
        signed(username="root", revision=float(revision), nbf=earlier),
    ]
    bad = [
        signed(username="root", revision=revision, exp=earlier),
        signed(username="root", revision=revision, nbf=later),
        signed(username="root"),
        signed(revision=revision),
        signed(username=7, revision=revision),
        signed(username="root", revision=str(revision)),
        signed(username="root", revision=revision, exp="soon"),
        jwt.encode({"username": "root", "revision": revision}, "secret" * 6, algorithm="HS256"),
        jwt.encode({"username": "root", "revision": revision}, "", algorithm="none"),
        jwt.encode(
            {"username": "root", "revision": revision},
            Ed25519PrivateKey.generate(),
            algorithm="EdDSA",
        ),
        good[0][:-4] + "AAAA",
        good[0] + ".x",
        "..",
        "",
    ]

    for token in good:
        async with root.other(sent(token)) as client:
            await client.range("k")
    for token in bad:
        async with root.other(sent(token)) as client:
            assert await refusal(client.range("k")) == no.BAD_TOKEN, token


async def test_a_token_ahead_of_auth_is_good_for_writes_alone(root: AuthClient) -> None:
    revision = (await root.status_of_auth()).authRevision
    async with root.other(sent(signed(username="root", revision=revision + 100))) as client:
        assert await refusal(client.range("k")) == no.OLD_REVISION
        assert await refusal(client.txn([], [Range("k")])) == no.OLD_REVISION
        await client.put("k")
        await client.txn([], [Range("k"), Put("k", b"")])
        async with client.watch() as stream:
            assert not (await stream.create("k")).canceled


async def test_a_token_older_than_the_last_change_of_auth(root: AuthClient) -> None:
    """Only checks of keys look at its revision; the calls of root alone, and grants, do not."""
    name, _ = await root.new_user((READWRITE, b"a", b"b"))
    token = await root.login(name, name)
    lease = await root.grant()
    await (root.other(sent(await root.login("root", ROOT_PASSWORD)))).put(b"a1", lease=lease)
    await root.add_role(f"something new {name}")

    async with root.other(sent(token)) as user:
        assert await refusal(user.range(b"a")) == no.OLD_REVISION
        assert await refusal(user.put(b"a")) == no.OLD_REVISION
        assert await refusal(user.revoke(lease)) == no.OLD_REVISION
        assert await refusal(user.time_to_live(lease, keys=True)) == no.OLD_REVISION
        await user.time_to_live(lease)
        await user.grant()
        async with user.watch() as stream:
            reason = (await stream.create(b"a")).cancel_reason
        assert reason == f"rpc error: code = InvalidArgument desc = {no.OLD_REVISION.text}"
    assert await refusal(root.range(b"a")) == no.OLD_REVISION
    assert name in await root.users()
    await root.revoke(lease)
    await root.status()


async def test_a_token_outlives_its_user(root: AuthClient) -> None:
    name, _ = await root.new_user()
    async with root.other(sent(await root.login(name, name))) as user:
        await root.delete_user(name)
        assert await refusal(user.range(b"a")) == no.OLD_REVISION
        assert await refusal(user.users()) == no.USER_NOT_FOUND
        await user.status()
    revision = (await root.status_of_auth()).authRevision
    async with root.other(sent(signed(username=name, revision=revision))) as user:
        assert await refusal(user.range(b"a")) == no.DENIED
    async with root.other(sent(signed(username="", revision=revision))) as user:
        assert await refusal(user.range(b"a")) == no.DENIED
        assert await refusal(user.users()) == no.NO_USER
    async with root.other(sent(signed(username="root", revision=0))) as user:
        assert await refusal(user.range(b"a")) == no.NO_USER
