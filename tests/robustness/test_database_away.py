"""A database that freezes: callers are told in bounded time, and it is found again."""

import asyncio
from collections.abc import Iterator

import grpc
import pytest

from datastore.tools.check import check
from tests.contract.client import Client, Refusal, refusal
from tests.robustness.databases import freezing
from tests.support.datastore import Datastore
from tests.support.postgres import Postgres

TIMED_OUT = Refusal("UNAVAILABLE", "etcdserver: request timed out")


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with Postgres() as cluster:
        yield cluster


async def put_when_back(etcd: Client, key: str) -> None:
    """Put until it is answered."""
    while True:
        try:
            await etcd.put(key)
        except grpc.aio.AioRpcError as error:
            assert (error.code().name, error.details()) == TIMED_OUT_WORDS  # noqa: PT017
            await asyncio.sleep(0.05)
        else:
            return


TIMED_OUT_WORDS = (TIMED_OUT.code, TIMED_OUT.text)


async def test_callers_of_a_frozen_database_are_told_and_it_is_found_again(
    postgres: Postgres,
) -> None:
    """The calls' own deadline is 20 s: the server answers before."""
    url = postgres.url("frozen")
    with Datastore(url) as server:
        async with Client(server.address) as etcd, etcd.watch() as watch:
            await watch.create(b"\0", b"\0")
            await etcd.put("before")
            with freezing(postgres):
                calls = (etcd.put("unknown"), etcd.range(b"\0", b"\0"), etcd.range("before"))
                told = await asyncio.gather(*map(refusal, calls))
                at_once = await asyncio.gather(
                    *(refusal(etcd.put(f"refused{n}")) for n in range(20))
                )
            await put_when_back(etcd, "after")
            found = [kv.key.decode() for kv in (await etcd.range(b"\0", b"\0")).kvs]
            events = await watch.events(len(found))
    findings = list(check(url))

    assert told == [TIMED_OUT] * 3
    assert at_once == [TIMED_OUT] * 20
    assert set(found) - {"unknown"} == {"before", "after"}
    assert [event.kv.mod_revision for event in events] == list(range(2, 2 + len(found)))
    assert findings == []
