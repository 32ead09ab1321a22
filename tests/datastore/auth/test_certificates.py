"""The common name of a client's certificate as its user, on ours and on a real etcd."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import grpc.aio
import pytest

from tests.contract.auth import refusals as no
from tests.contract.auth.client import (
    FAST,
    READWRITE,
    ROOT_PASSWORD,
    AuthClient,
    Metadata,
    secure,
    sent,
)
from tests.contract.client import UNLIMITED, refusal
from tests.support.certificates import Authority, Pair
from tests.support.secure_server import ETCD, OURS, SecureServer

KEY = b"a1"
GATEWAY = (("grpcgateway-accept", "application/json"),)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module", params=[OURS, ETCD])
def server(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    authority: Authority,
) -> Iterator[SecureServer]:
    """A server that asks for certificates, with auth on; ann may use [a, b)."""
    pair = authority.issue("server", ["127.0.0.1"])
    flags = [
        *(f"--cert-file={pair.certificate}", f"--key-file={pair.key}"),
        *(f"--trusted-ca-file={authority.certificate}", "--client-cert-auth", FAST),
    ]
    with SecureServer(request.param, tmp_path_factory.mktemp("server"), flags) as started:
        asyncio.run(_set_up(started))
        yield started


async def _set_up(server: SecureServer) -> None:
    async with AuthClient(server.plain.removeprefix("http://")) as client:
        await client.add_user("ann", no_password=True)
        await client.add_role("r")
        await client.allow("r", READWRITE, b"a", b"b")
        await client.give("ann", "r")
        await (await secure(client)).channel.close()


class Clients:
    """Clients of the TLS listener, by certificate and metadata."""

    def __init__(self, server: SecureServer, authority: Authority, stack: AsyncExitStack) -> None:
        self._server = server
        self._authority = authority
        self._stack = stack

    async def named(self, *names: str, metadata: Metadata = ()) -> AuthClient:
        pair = self._authority.issue(names[0], file=names[0] or "nameless", more=names[1:])
        client = _SecureClient(self._server, self._authority, pair, metadata)
        return await self._stack.enter_async_context(client)

    async def plain(self) -> AuthClient:
        client = AuthClient(self._server.plain.removeprefix("http://"))
        return await self._stack.enter_async_context(client)


class _SecureClient(AuthClient):
    def __init__(
        self, server: SecureServer, authority: Authority, pair: Pair, metadata: Metadata
    ) -> None:
        self._credentials = grpc.ssl_channel_credentials(
            authority.certificate.read_bytes(), pair.key.read_bytes(), pair.certificate.read_bytes()
        )
        super().__init__(f"127.0.0.1:{server.port}", metadata)

    def open_channel(self, address: str) -> Any:
        return grpc.aio.secure_channel(address, self._credentials, options=UNLIMITED)


@pytest.fixture
async def clients(server: SecureServer, authority: Authority) -> AsyncIterator[Clients]:
    async with AsyncExitStack() as stack:
        yield Clients(server, authority, stack)


async def test_the_common_name_is_the_user(clients: Clients) -> None:
    ann = await clients.named("ann")

    await ann.put(KEY, b"1")
    assert (await ann.range(KEY)).kvs[0].value == b"1"
    assert await refusal(ann.range(b"z")) == no.DENIED
    assert await refusal(ann.users()) == no.DENIED
    assert await ann.roles_of("ann") == ["r"]
    lease = await ann.grant()
    async with ann.keep_alive() as stream:
        assert (await stream.renew(lease)).TTL == 600
    async with ann.watch() as stream:
        assert not (await stream.create(KEY)).canceled
        assert (await stream.create(b"z")).canceled


async def test_root_by_certificate(clients: Clients) -> None:
    root = await clients.named("root")

    assert "ann" in await root.users()
    await root.put(b"z")


async def test_the_last_of_several_common_names_counts(clients: Clients) -> None:
    ann = await clients.named("root", "ann")

    await ann.put(KEY)
    assert await refusal(ann.put(b"z")) == no.DENIED


@pytest.mark.parametrize("name", ["", "stranger"])
async def test_a_name_that_nobody_has_may_nothing(clients: Clients, name: str) -> None:
    stranger = await clients.named(name)

    assert await refusal(stranger.range(KEY)) == no.DENIED
    assert await refusal(stranger.put(KEY)) == no.DENIED
    assert await refusal(stranger.users()) == (no.USER_NOT_FOUND if name else no.NO_USER)
    await stranger.status()  # needs but some user
    await stranger.grant()


async def test_a_token_counts_before_a_certificate(clients: Clients) -> None:
    plain = await clients.plain()
    token = await plain.login("root", ROOT_PASSWORD)

    await (await clients.named("stranger", metadata=sent(token))).put(b"z")
    assert (
        await refusal((await clients.named("ann", metadata=sent("bad"))).range(KEY)) == no.BAD_TOKEN
    )


async def test_the_gateway_is_nobody(clients: Clients) -> None:
    assert await refusal((await clients.named("ann", metadata=GATEWAY)).range(KEY)) == no.NO_USER


async def test_a_plain_listener_knows_no_names(clients: Clients) -> None:
    assert await refusal((await clients.plain()).range(KEY)) == no.NO_USER
