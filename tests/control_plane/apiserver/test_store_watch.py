"""One watch on the store, as the caches hold it, while many readers ask how far it has come."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.etcd.errors import StoreUnavailableError
from control_plane.apiserver.etcd.model import prefix_end
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd

pytestmark = pytest.mark.every_store

PREFIX = b"/watched/"


@pytest.fixture
async def etcd(store: Etcd | Datastore) -> AsyncIterator[EtcdClient]:
    client = EtcdClient(EtcdEndpoints((store.endpoint,)))
    yield client
    await client.close()


async def test_questions_for_progress_at_once_leave_the_watch_alive(etcd: EtcdClient) -> None:
    revision = await etcd.current_revision(PREFIX)
    async with etcd.watch(PREFIX, prefix_end(PREFIX), revision + 1) as watch:
        batches = watch.batches()
        for number in range(5):
            elsewhere = await etcd.put_if(b"/elsewhere/%d-%d" % (revision, number), b"x", 0)
            for _ in range(20):
                watch.request_progress()
                await asyncio.sleep(0)
            batch = await anext(batches)
            while batch.revision < elsewhere.revision:
                batch = await anext(batches)
            assert not batch.events
            swap = await etcd.put_if(PREFIX + b"%d-%d" % (revision, number), b"x", 0)
            while not batch.events:
                batch = await anext(batches)
            assert batch.revision == swap.revision


async def test_a_reader_that_gives_up_leaves_the_watch_alive(etcd: EtcdClient) -> None:
    revision = await etcd.current_revision(PREFIX)
    async with etcd.watch(PREFIX, prefix_end(PREFIX), revision + 1) as watch:

        async def ask_and_wait() -> None:
            watch.request_progress()
            await asyncio.Event().wait()

        readers = [asyncio.create_task(ask_and_wait()) for _ in range(5)]
        await asyncio.sleep(0)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        swap = await etcd.put_if(PREFIX + b"after-%d" % revision, b"x", 0)
        async for batch in watch.batches():
            if batch.events:
                assert batch.revision == swap.revision
                return


async def test_a_watch_of_a_store_that_has_gone_says_so() -> None:
    with Datastore() as gone:
        client = EtcdClient(EtcdEndpoints((gone.endpoint,)))
    try:
        with pytest.raises(StoreUnavailableError):
            async with client.watch(PREFIX, prefix_end(PREFIX), 1):
                pass
    finally:
        await client.close()
