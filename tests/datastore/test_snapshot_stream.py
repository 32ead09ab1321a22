"""What the streams of Snapshot cost: few copies at a time, none for whoever does not read."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import NamedTuple

import pytest

from datastore.errors import Exhausted
from datastore.mvcc.backend import Session
from datastore.mvcc.model import Put
from datastore.mvcc.store_copy import StoreCopy
from datastore.mvcc.upkeep import COPIES
from datastore.rpc.answering import Edge
from datastore.rpc.snapshots import READ_AHEAD, SnapshotStalled, snapshot
from proto.etcd import rpc_pb2 as pb
from tests.datastore.opened import opened


@pytest.fixture
async def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Edge]:
    """The services over a store of more than is read ahead, whose copies are in `copies`."""
    (tmp_path / "copies").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "copies"))
    async with opened(tmp_path / "store.db") as store:
        await store.put(Put(b"large", b"x" * (READ_AHEAD + 1)), 0)
        yield Edge(store, max_request_bytes=1 << 20)
    assert list((tmp_path / "copies").iterdir()) == []


def stream(edge: Edge, stalled: float = 60) -> AsyncIterator[bytes]:
    return snapshot(edge, pb.SnapshotRequest(), "3.6.0", stalled)


async def test_few_copies_at_a_time(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[StoreCopy] = []
    make = StoreCopy.make

    def noted(copy: StoreCopy, session: Session) -> None:
        made.append(copy)
        make(copy, session)

    monkeypatch.setattr(StoreCopy, "make", noted)
    begun = [stream(edge) for _ in range(COPIES)]
    for one in begun:
        await anext(one)
    waiting = asyncio.ensure_future(anext(stream(edge)))
    await asyncio.sleep(0)
    await edge.store.upkeep.hash_all(lambda _: b"")  # it is done in its turn
    assert len(made) == COPIES

    for one in begun:
        await one.aclose()  # type: ignore[attr-defined]
    assert await waiting


async def test_a_client_that_does_not_read_loses_its_copy(edge: Edge) -> None:
    begun = [stream(edge, stalled=0) for _ in range(COPIES)]
    for one in begun:
        await anext(one)

    async with aclosing(stream(edge)) as next_one:  # type: ignore[type-var]
        assert [answer async for answer in next_one]
    for one in begun:
        with pytest.raises(SnapshotStalled):
            [answer async for answer in one]


async def test_one_that_leaves_while_it_is_copied_leaves_nothing(edge: Edge) -> None:
    for _ in range(COPIES + 1):
        leaving = asyncio.ensure_future(anext(stream(edge)))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)

    assert await anext(stream(edge))


class Usage(NamedTuple):
    """A disk."""

    free: int


async def test_no_room(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(READ_AHEAD))

    with pytest.raises(Exhausted, match=r"no room for a copy.*TMPDIR"):
        await anext(stream(edge))
