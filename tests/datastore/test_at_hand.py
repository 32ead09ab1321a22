"""What is answered from memory is byte for byte what the database would have been asked for."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from datastore.mvcc.model import DeleteRange, Put, RangeQuery
from datastore.rpc import kv
from datastore.rpc.answering import Direct, Edge
from proto.etcd import rpc_pb2 as pb
from tests.datastore.opened import opened

RANGE = kv.METHODS["Range"]
LONGEST = 127  # bytes of a key that is told by one byte


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    """The services over a store of its own."""
    async with opened(tmp_path / "store.db") as store:
        yield Edge(store, max_request_bytes=1 << 20)


async def asked(edge: Edge, request: pb.RangeRequest) -> bytes:
    """Return the database's answer, with nothing in memory."""
    assert isinstance(RANGE, Direct)
    assert edge.store.backend.newest is not None
    edge.store.backend.newest.forget()
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    RANGE.start(edge, request, future)
    return RANGE.encode(edge, await future)


def at_hand(edge: Edge, request: pb.RangeRequest) -> bytes | None:
    assert isinstance(RANGE, Direct)
    found = RANGE.at_once(edge, request.SerializeToString())
    return found if isinstance(found, bytes) else None


@pytest.mark.parametrize("key", [b"a", b"\0", b"k" * LONGEST])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"limit": 1},
        {"serializable": True},
        {"limit": 1, "serializable": True},
    ],
)
@pytest.mark.parametrize("value", [b"", b"v", b"v" * 20_000])
async def test_a_plain_read(edge: Edge, key: bytes, value: bytes, options: Any) -> None:
    await edge.store.put(Put(key, b"before"), 0)
    await edge.store.put(Put(key, value), 0)
    request = pb.RangeRequest(key=key, **options)

    found = at_hand(edge, request)

    assert found is not None
    assert found == await asked(edge, request)


@pytest.mark.parametrize("key", [b"a", b"missing", b"k" * LONGEST])
async def test_a_plain_read_of_what_is_not_in_memory(edge: Edge, key: bytes) -> None:
    """It is told by its bytes too, and then the database is asked."""
    await edge.store.put(Put(b"a", b"v"), 0)
    await edge.store.put(Put(b"k" * LONGEST, b"v"), 0)
    request = pb.RangeRequest(key=key, limit=1)
    expected = await asked(edge, request)
    assert edge.store.backend.newest is not None
    edge.store.backend.newest.forget()

    assert isinstance(RANGE, Direct)
    query = RANGE.at_once(edge, request.SerializeToString())
    assert query == RangeQuery(key)
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    RANGE.start(edge, query, future)
    assert RANGE.encode(edge, await future) == expected


@pytest.mark.parametrize(
    "request_",
    [
        pb.RangeRequest(),
        pb.RangeRequest(key=b""),
        pb.RangeRequest(key=b"a", range_end=b"b"),
        pb.RangeRequest(key=b"a", keys_only=True),
        pb.RangeRequest(key=b"a", count_only=True),
        pb.RangeRequest(key=b"a", revision=2),
        pb.RangeRequest(key=b"a", min_mod_revision=1),
        pb.RangeRequest(key=b"a", sort_order=pb.RangeRequest.ASCEND),
        pb.RangeRequest(key=b"k" * (LONGEST + 1)),
        pb.RangeRequest(key=b"missing"),
    ],
)
async def test_anything_else_is_not_answered_from_its_bytes(
    edge: Edge, request_: pb.RangeRequest
) -> None:
    await edge.store.put(Put(b"a", b"1"), 0)
    await edge.store.put(Put(b"k" * (LONGEST + 1), b"1"), 0)

    assert at_hand(edge, request_) is None


async def test_a_deleted_key_is_not_at_hand(edge: Edge) -> None:
    await edge.store.put(Put(b"a", b"1"), 0)
    await edge.store.delete_range(DeleteRange(b"a"), 0)

    assert at_hand(edge, pb.RangeRequest(key=b"a")) is None
