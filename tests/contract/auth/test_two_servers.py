"""Two servers on one database: what one is told counts at the other from the next request on."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

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
from tests.support.datastore import Datastore
from tests.support.postgres import Postgres

Pair = tuple[AuthClient, AuthClient]
LIFE_SECONDS = 6  # a busy machine has to use a token within it
FLAGS = [FAST, f"--auth-token-ttl={LIFE_SECONDS}"]


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Datastore, Datastore]]:
    with Postgres() as postgres:
        url = postgres.url("auth")
        with Datastore(url, FLAGS) as first, Datastore(url, [*FLAGS, "--name=second"]) as second:
            yield first, second


@pytest.fixture
async def pair(servers: tuple[Datastore, Datastore]) -> AsyncIterator[Pair]:
    """Clients of the two without credentials, nobody being known to either."""
    async with AuthClient(servers[0].address) as one, AuthClient(servers[1].address) as other:
        yield one, other
        async with one.other(sent(await one.login("root", ROOT_PASSWORD))) as root:
            await root.disable()
            for user in await root.users():
                await root.delete_user(user)
            for role in await root.roles():
                await root.delete_role(role)


async def test_auth_is_on_at_both_and_tokens_are_good_at_both(pair: Pair) -> None:
    one, other = pair
    await other.put("k", b"1")
    async with await secure(one) as root, other.other(root.metadata) as root_there:
        assert await refusal(other.range("k")) == no.NO_USER
        assert (await root_there.range("k")).kvs[0].value == b"1"
        name, role = await root_there.new_user((READWRITE, b"a", b"b"))
        token = await one.login(name, name)
        async with one.other(sent(token)) as here, other.other(sent(token)) as there:
            for user in (here, there):
                await user.put(b"a1")
                assert await refusal(user.put(b"z")) == no.DENIED
            await root.disallow(role, b"a", b"b")
            for client in (there, here):
                assert await refusal(client.range(b"a1")) == no.DENIED
                assert await refusal(client.put(b"a1")) == no.DENIED
            await root_there.change_password(name, "other")
            assert await refusal(here.range(b"a1")) == no.BAD_TOKEN
            assert await refusal(there.range(b"a1")) == no.BAD_TOKEN


async def test_auth_goes_off_at_both(pair: Pair) -> None:
    one, other = pair
    async with await secure(one) as root, other.other(root.metadata) as root_there:
        await root_there.disable()
        await one.put("k", b"1")
        await one.enable()
        assert await refusal(root_there.put("k")) == no.BAD_TOKEN


async def test_a_token_used_at_one_lives_on_at_the_other(pair: Pair) -> None:
    """Time is what is tested: each use is told well within the token's life."""
    one, other = pair
    async with await secure(one) as root, other.other(root.metadata) as there:
        await there.range("k")
        for _ in range(4):
            await asyncio.sleep(LIFE_SECONDS / 3)
            await root.range("k")
        await asyncio.sleep(0.5)
        await there.range("k")
