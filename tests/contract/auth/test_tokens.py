"""Simple tokens: where they are looked for, what ends them, how long they live."""

import asyncio

import pytest

from tests.contract.auth import refusals as no
from tests.contract.auth.client import (
    FAST,
    READ,
    ROOT_PASSWORD,
    AuthClient,
    Metadata,
    secure,
    sent,
)
from tests.contract.client import refusal
from tests.contract.targets import Launcher

LIFE_SECONDS = 5  # a busy machine has to use a token within it


@pytest.mark.every_front
async def test_where_a_token_is_looked_for(root: AuthClient) -> None:
    token = root.token
    good: list[Metadata] = [
        [("token", token)],
        [("authorization", token)],
        [("authorization", f"Bearer {token}")],
        [("token", f"Bearer {token}")],
        [("token", token), ("token", "second")],
        [("token", token), ("authorization", "bad")],
    ]
    bad: list[Metadata] = [
        [("token", "")],
        [("token", "bad")],
        [("token", "abc.1")],
        [("token", f"bearer {token}")],
        [("token", "bad"), ("authorization", token)],
        [("authorization", "")],
    ]

    for metadata in good:
        async with root.other(metadata) as client:
            await client.range("k")
    for metadata in bad:
        async with root.other(metadata) as client:
            assert await refusal(client.range("k")) == no.BAD_TOKEN
            assert await refusal(client.put("k")) == no.BAD_TOKEN
            assert await refusal(client.status()) == no.BAD_TOKEN
            assert await refusal(client.users()) == no.BAD_TOKEN
    async with root.other([("other", token)]) as client:
        assert await refusal(client.range("k")) == no.NO_USER


async def test_a_simple_token_looks_like_etcds(root: AuthClient) -> None:
    letters, _, number = root.token.partition(".")

    assert (len(letters), letters.isalpha(), number.isdigit()) == (16, True, True)


async def test_tokens_end_with_the_password_and_with_the_user(root: AuthClient) -> None:
    name, _ = await root.new_user((READ, b"k"))
    async with root.other(sent(await root.login(name, name))) as user:
        await user.range(b"k")
        await root.change_password(name, "other")
        assert await refusal(user.range(b"k")) == no.BAD_TOKEN
        assert await refusal(root.login(name, name)) == no.FAILED
    async with root.other(sent(await root.login(name, "other"))) as user:
        await user.range(b"k")
        await root.delete_user(name)
        assert await refusal(user.range(b"k")) == no.BAD_TOKEN
        await root.add_user(name, "other")
        assert await refusal(user.range(b"k")) == no.BAD_TOKEN


async def test_tokens_do_not_matter_while_auth_is_off_and_end_with_it(bare: AuthClient) -> None:
    async with await secure(bare) as root:
        await root.disable()
        await root.range("k")
        async with bare.other(sent("bad")) as client:
            await client.range("k")
        await bare.enable()
        assert await refusal(root.range("k")) == no.BAD_TOKEN


@pytest.mark.any_backend
async def test_a_token_lives_as_long_as_it_is_used(target: str, launcher: Launcher) -> None:
    """Time is what is tested: used within its life a token outlives it, unused it does not."""
    server = launcher.start(target, [FAST, f"--auth-token-ttl={LIFE_SECONDS}"])
    try:
        async with AuthClient(server.address) as client, await secure(client) as used:
            token = await client.login("root", ROOT_PASSWORD)
            for _ in range(4):
                await asyncio.sleep(LIFE_SECONDS / 2.5)  # etcd looks each second
                await used.range("k")
            async with client.other(sent(token)) as unused:
                assert await refusal(unused.range("k")) == no.BAD_TOKEN
            await used.range("k")
    finally:
        server.stop()
