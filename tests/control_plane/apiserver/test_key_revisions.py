"""The question that lets the cache answer reads of the newest state."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.storage.key_revisions import MAX_KEYS, KeyRevisions
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.ports import free_port

pytestmark = pytest.mark.every_store


class Counting(EtcdClient):
    """A client that remembers how many keys each question was about."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(EtcdEndpoints((endpoint,)))
        self.asked: list[int] = []

    async def mod_revisions(self, keys: list[bytes]) -> list[int]:
        self.asked.append(len(keys))
        return await super().mod_revisions(keys)


@pytest.fixture
async def etcd(store: Etcd | Datastore) -> AsyncIterator[Counting]:
    client = Counting(store.endpoint)
    yield client
    await client.close()


@pytest.fixture
async def revisions(etcd: Counting) -> AsyncIterator[KeyRevisions]:
    asking = KeyRevisions(etcd)
    task = asyncio.create_task(asking.run())
    await asyncio.sleep(0)
    yield asking
    task.cancel()
    await asyncio.wait((task,))


async def _written(etcd: EtcdClient, key: bytes) -> int:
    current, _ = await etcd.get(key)
    swap = await etcd.put_if(key, b"value", current.mod_revision if current else 0)
    assert swap.succeeded
    return swap.revision


async def test_many_questions_at_once_are_one(etcd: Counting, revisions: KeyRevisions) -> None:
    keys = [b"/revisions/%03d" % number for number in range(MAX_KEYS + 10)]
    written = [await _written(etcd, key) for key in keys]
    asked = [*keys, *keys, b"/revisions/none"]
    answers = await asyncio.gather(*(revisions.of(key) for key in asked))
    assert answers == [*written, *written, 0]
    assert sum(etcd.asked) == len(keys) + 1
    assert len(etcd.asked) == 2


async def test_an_answer_is_as_new_as_its_question(etcd: Counting, revisions: KeyRevisions) -> None:
    before = [revisions.of(b"/revisions/new") for _ in range(3)]
    for _ in range(20):
        revision = await _written(etcd, b"/revisions/new")
        assert await revisions.of(b"/revisions/new") == revision
    await asyncio.gather(*before)


async def test_without_a_store_everybody_is_told() -> None:
    etcd = Counting(f"http://127.0.0.1:{free_port()}")
    revisions = KeyRevisions(etcd)
    task = asyncio.create_task(revisions.run())
    await asyncio.sleep(0)
    answers = await asyncio.gather(
        *(revisions.of(key) for key in (b"a", b"b", b"a")), return_exceptions=True
    )
    assert [isinstance(answer, StoreError) for answer in answers] == [True] * 3
    task.cancel()
    await asyncio.wait((task,))
    assert await revisions.of(b"a") is None
    await etcd.close()
