"""Auth is one state for a whole server, so these tests have servers of their own: two a target.

`bare` is a client of a server on which auth is off and nobody is known; whatever a test makes there
goes away after it. `anybody` has no credentials and `root` has root's at a server where auth is on;
each test makes users, roles and keys of its own there.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import grpc.aio
import pytest

from tests.contract.auth.client import FAST, ROOT_PASSWORD, AuthClient, Grant, secure, sent
from tests.contract.targets import Launcher, Server

Login = Callable[..., Awaitable[AuthClient]]
_prefixes = itertools.count(1)


@pytest.fixture(scope="session")
def unsecured(target: str, launcher: Launcher) -> Iterator[Server]:
    """The server behind `bare`."""
    started = launcher.start(target, [FAST])
    yield started
    started.stop()


@pytest.fixture
async def bare(unsecured: Server) -> AsyncIterator[AuthClient]:
    async with AuthClient(unsecured.address) as client:
        yield client
        await _forget_everybody(client)


async def _forget_everybody(client: AuthClient) -> None:
    if await _is_on(client):
        async with client.other(sent(await client.login("root", ROOT_PASSWORD))) as root:
            await root.disable()
    for user in await client.users():
        await client.delete_user(user)
    for role in await client.roles():
        await client.delete_role(role)


async def _is_on(client: AuthClient) -> bool:
    """Say whether auth is on: then nobody without a token is told anything."""
    try:
        await client.users()
    except grpc.aio.AioRpcError:
        return True
    return False


@pytest.fixture(scope="session")
def secured(target: str, launcher: Launcher) -> Iterator[Server]:
    """The server behind `anybody` and `root`."""
    started = launcher.start(target, [FAST])
    asyncio.run(_secure(started.address))
    yield started
    started.stop()


async def _secure(address: str) -> None:
    async with AuthClient(address) as client, await secure(client):
        pass


@pytest.fixture
async def anybody(secured: Server) -> AsyncIterator[AuthClient]:
    async with AuthClient(secured.address, prefix=b"/auth/%06d/" % next(_prefixes)) as client:
        yield client


@pytest.fixture
async def root(anybody: AuthClient) -> AsyncIterator[AuthClient]:
    async with anybody.other(sent(await anybody.login("root", ROOT_PASSWORD))) as client:
        yield client


@pytest.fixture
async def login(root: AuthClient) -> AsyncIterator[Login]:
    """Makes a user with the given permissions on the test's keys, and a client that is he."""
    opened: list[AuthClient] = []

    async def make(*grants: Grant) -> AuthClient:
        own = [(access, *map(root.key, keys)) for access, *keys in grants]
        user, _ = await root.new_user(*own)
        opened.append(root.other(sent(await root.login(user, user))))
        return opened[-1]

    yield make
    for client in opened:
        await client.channel.close()
