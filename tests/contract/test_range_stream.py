"""KV/RangeStream (etcd 3.7): a Range in pieces, whose merge is the Range's answer."""

import random
from typing import Any

import grpc.aio
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, Refusal, refusal
from tests.contract.refusals import KEY_NOT_PROVIDED

pytestmark = [pytest.mark.every_front, pytest.mark.etcd_since("3.7")]
LARGE = b"v" * 50_000


async def _pieces(etcd: Client, key: str, end: str = "", **fields: Any) -> list[pb.RangeResponse]:
    request = pb.RangeRequest(key=etcd.key(key), range_end=etcd.key(end), **fields)
    return [piece.range_response async for piece in etcd.kv.RangeStream(request)]


def _merged(pieces: list[pb.RangeResponse]) -> pb.RangeResponse:
    merged = pb.RangeResponse()
    for piece in pieces:
        merged.MergeFrom(piece)
    return merged


async def _fill(etcd: Client) -> int:
    """Write 200 keys, change and delete some; return the revision before that."""
    dice = random.Random(7)
    await etcd.put_many([f"k{number:03}" for number in range(200)], b"old")
    before = await etcd.revision()
    await etcd.put_many([f"k{dice.randrange(250):03}" for _ in range(100)], b"new")
    await etcd.delete("k05", "k07")
    return before


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"limit": 1},
        {"limit": 57},
        {"limit": 5_000},
        {"keys_only": True},
        {"keys_only": True, "limit": 30},
        {"count_only": True},
        {"sort_order": 1},
        {"serializable": True, "limit": -3},
    ],
    ids=str,
)
@pytest.mark.parametrize("old", [False, True], ids=["newest", "old"])
async def test_the_pieces_merge_to_the_range(
    etcd: Client, fields: dict[str, Any], old: bool
) -> None:
    before = await _fill(etcd)
    revision = before if old else 0
    for key, end in (("k", "l"), ("k010", "k150"), ("k010", ""), ("x", ""), ("x", "z"), ("l", "k")):
        merged = _merged(await _pieces(etcd, key, end, revision=revision, **fields))
        assert merged == await etcd.range(key, end, revision=revision, **fields)


async def test_only_the_last_piece_says_anything_of_the_whole(etcd: Client) -> None:
    await etcd.put_many([f"k{number:02}" for number in range(70)], LARGE)

    pieces = await _pieces(etcd, "k", "l")

    assert len(pieces) > 1
    assert not any(piece.HasField("header") or piece.count or piece.more for piece in pieces[:-1])
    assert pieces[-1].header.revision == await etcd.revision()
    assert pieces[-1].count == 70


async def test_all_pieces_are_of_one_revision(etcd: Client) -> None:
    await etcd.put_many([f"k{number:02}" for number in range(70)], LARGE)
    base = await etcd.revision()
    request = pb.RangeRequest(key=etcd.key("k"), range_end=etcd.key("l"))
    call = etcd.kv.RangeStream(request)
    pieces = [(await call.read()).range_response]
    await etcd.put("k69", b"later")
    await etcd.put("k70", b"later")
    while (answer := await call.read()) is not grpc.aio.EOF:
        pieces.append(answer.range_response)

    merged = _merged(pieces)
    assert [len(kv.value) for kv in merged.kvs] == [len(LARGE)] * 70
    assert merged.header.revision == base


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"sort_order": 2}, "RangeStream does not support custom sort orders"),
        ({"sort_order": 1, "sort_target": 3}, "RangeStream does not support custom sort orders"),
        ({"min_mod_revision": 1}, "RangeStream does not support revision filters"),
        (
            {"sort_order": 2, "max_create_revision": 1},
            "RangeStream does not support custom sort orders",
        ),
    ],
)
async def test_what_cannot_be_streamed_is_refused(
    etcd: Client, fields: dict[str, Any], expected: str
) -> None:
    assert await refusal(_pieces(etcd, "k", "l", **fields)) == Refusal("UNIMPLEMENTED", expected)


async def test_it_refuses_what_a_range_refuses(etcd: Client) -> None:
    assert await refusal(_pieces(etcd, "", "l")) == KEY_NOT_PROVIDED
    base = await etcd.revision()
    future = Refusal("OUT_OF_RANGE", "etcdserver: mvcc: required revision is a future revision")
    assert await refusal(_pieces(etcd, "k", "l", revision=base + 9)) == future
