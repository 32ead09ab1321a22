"""The contract's worked examples, each told in order on an empty store: revisions here are
absolute.
"""

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, refusal
from tests.contract.refusals import (
    COMPACTED,
    FUTURE_REVISION,
    LEASE_EXISTS,
    LEASE_NOT_FOUND,
    LEASE_TTL_TOO_LARGE,
)
from tests.contract.requests import Delete, If, Put, Range, Txn, delete_event, put_event

pytestmark = pytest.mark.own_server
CREATE, MOD, DESCEND = pb.RangeRequest.CREATE, pb.RangeRequest.MOD, pb.RangeRequest.DESCEND


async def test_revisions_and_versions(etcd: Client) -> None:
    empty = await etcd.range("a")
    assert (empty.header.revision, empty.count) == (1, 0)
    assert (await etcd.put("a", b"1")).header.revision == 2
    assert (await etcd.put("a", b"1")).header.revision == 3
    assert list((await etcd.range("a")).kvs) == [etcd.stored("a", b"1", create=2, mod=3, version=2)]
    assert (await etcd.put("b", b"")).header.revision == 4
    past = await etcd.range("a", revision=2)
    assert past.header.revision == 4
    assert list(past.kvs) == [etcd.stored("a", b"1", create=2, mod=2)]
    not_yet = await etcd.range("b", revision=3)
    assert (not_yet.header.revision, not_yet.count) == (4, 0)
    assert await refusal(etcd.range("a", revision=5)) == FUTURE_REVISION
    nothing = await etcd.delete("zzz")
    assert (nothing.header.revision, nothing.deleted) == (4, 0)
    everything = await etcd.delete(b"\0", b"\0", prev_kv=True)
    assert (everything.header.revision, everything.deleted) == (5, 2)
    assert etcd.names(everything.prev_kvs) == ["a", "b"]
    assert (await etcd.put("a", b"x")).header.revision == 6
    assert list((await etcd.range("a")).kvs) == [etcd.stored("a", b"x", create=6, mod=6)]


async def test_range_variants(etcd: Client) -> None:
    for name in ("k1", "k2", "k3", "k4"):
        await etcd.put(name)
    answers = [
        await etcd.range("k", "l", limit=2),
        await etcd.range("k", "l", limit=4),
        await etcd.range("k", "l", count_only=True, limit=1),
        await etcd.range("k", "l", min_mod_revision=4, limit=1),
        await etcd.range("k", "l", max_mod_revision=3),
        await etcd.range("k", "l", sort_target=MOD, sort_order=DESCEND, limit=1),
        await etcd.range("k", "l", sort_target=CREATE, limit=10),
        await etcd.range("k3", "k1"),
        await etcd.range("k2", b"\0"),
        await etcd.range("k", "l", revision=3, limit=1),
    ]

    seen = [(" ".join(etcd.names(a.kvs)), a.more, a.count, a.header.revision) for a in answers]
    assert seen == [
        ("k1 k2", True, 4, 5),
        ("k1 k2 k3 k4", False, 4, 5),
        ("", False, 4, 5),
        ("k3", True, 4, 5),
        ("k1 k2", False, 4, 5),
        ("k4", True, 4, 5),
        ("k1 k2 k3 k4", False, 4, 5),
        ("", False, 0, 5),
        ("k2 k3 k4", False, 3, 5),
        ("k1", True, 2, 5),
    ]


async def test_txn(etcd: Client) -> None:
    for _ in range(5):
        await etcd.put("filler")
    await etcd.put("y", b"old")
    for _ in range(3):
        await etcd.put("filler")
    async with etcd.watch() as x, etcd.watch() as y, etcd.watch() as both:
        await x.create("x")
        await y.create("y")
        await both.create("x", "z")
        answer = await etcd.txn(
            [If("x", "mod", "=", 0)],
            [Put("x", b"new"), Range("x"), Range("y"), Delete("y")],
            [Range("x")],
        )
        seen_x, seen_y, seen_both = await x.next(), await y.next(), await both.next()

    now = pb.ResponseHeader(revision=11)
    new = etcd.stored("x", b"new", create=11, mod=11)
    old = etcd.stored("y", b"old", create=7, mod=7)
    assert (answer.succeeded, answer.header.revision) == (True, 11)
    assert [getattr(op, op.WhichOneof("response") or "") for op in answer.responses] == [
        pb.PutResponse(header=now),
        pb.RangeResponse(header=now, kvs=[new], count=1),
        pb.RangeResponse(header=now, kvs=[old], count=1),
        pb.DeleteRangeResponse(header=now, deleted=1),
    ]
    assert list(seen_x.events) == [put_event(new)]
    assert list(seen_y.events) == [delete_event(b"y", 11)]
    assert list(seen_both.events) == [put_event(new), delete_event(b"y", 11)]
    assert seen_both.header.revision == 11

    inner = Txn([If("a", "value", "=", b"1")], [Put("b", b"yes")], [Put("b", b"no")])
    nested = await etcd.txn(success=[Put("a", b"1"), inner])
    assert not nested.responses[1].response_txn.succeeded
    assert list((await etcd.range("a", "c")).kvs) == [
        etcd.stored("a", b"1", create=12, mod=12),
        etcd.stored("b", b"no", create=12, mod=12),
    ]


@pytest.mark.etcd_since("3.5.16")
async def test_watch(etcd: Client) -> None:
    for name in ("k1", "k1", "k1"):
        await etcd.put(name, b"0")
    await etcd.delete("k1")
    async with etcd.watch() as watch:
        first = await watch.create("k", "l")
        second = await watch.create("m")
        duplicate = await watch.create("k", watch_id=1)
        await etcd.put("k1", b"1")
        put = await watch.next()
        await etcd.put("zz")
        await watch.request_progress()
        progress = await watch.next()
        third = await watch.create("k1", start_revision=6, prev_kv=True)
        history = await watch.next()
        await etcd.delete("k1")
        deletes = sorted(await watch.take(2), key=lambda response: response.watch_id)
        await watch.cancel(0)
        cancelled = await watch.next()
        await watch.cancel(99)
        await etcd.compact(8)
        fourth = await watch.create("k1", start_revision=7)
        compacted = await watch.next()
        fifth = await watch.create("k1", start_revision=8, prev_kv=True)
        tombstone = await watch.next()
        future = await watch.create("k1", start_revision=100)
        await watch.request_progress()
        empty = await watch.create("b", "a")
        await watch.half_close()
        await etcd.put("m", b"on")
        after_half_close = await watch.next()

    kv = etcd.stored("k1", b"1", create=6, mod=6)
    assert [(r.watch_id, r.header.revision) for r in (first, second)] == [(0, 5), (1, 5)]
    assert (duplicate.watch_id, duplicate.canceled) == (-1, True)
    assert (put.watch_id, put.header.revision, list(put.events)) == (0, 6, [put_event(kv)])
    assert (progress.watch_id, progress.header.revision, len(progress.events)) == (-1, 7, 0)
    assert (third.watch_id, third.header.revision) == (2, 7)
    assert (history.watch_id, list(history.events)) == (2, [put_event(kv)])
    assert [(r.watch_id, list(r.events)) for r in deletes] == [
        (0, [delete_event(b"k1", 8)]),
        (2, [delete_event(b"k1", 8, kv)]),
    ]
    assert (cancelled.watch_id, cancelled.canceled, cancelled.cancel_reason) == (0, True, "")
    assert (fourth.watch_id, fourth.header.revision, fourth.canceled) == (3, 8, False)
    assert (compacted.watch_id, compacted.compact_revision) == (3, 8)
    assert (compacted.canceled, compacted.header.revision) == (True, 0)
    assert (fifth.watch_id, list(tombstone.events)) == (4, [delete_event(b"k1", 8)])
    assert (future.watch_id, future.header.revision, future.canceled) == (5, 8, False)
    assert (empty.watch_id, empty.cancel_reason) == (-1, "mvcc: watcher range is empty")
    assert (after_half_close.watch_id, len(after_half_close.events)) == (1, 1)


async def test_compaction(etcd: Client) -> None:
    for _ in range(19):
        await etcd.put("a")

    assert await refusal(etcd.compact(21)) == FUTURE_REVISION
    assert (await etcd.compact(10)).header.revision == 20
    assert await refusal(etcd.compact(10)) == COMPACTED
    assert await refusal(etcd.compact(9)) == COMPACTED
    assert await refusal(etcd.range("a", revision=9)) == COMPACTED
    assert (await etcd.range("a", revision=10)).kvs[0].version == 9


async def test_lease(etcd: Client) -> None:
    chosen = await etcd.grant_as(0, 0)
    assert (chosen.ID > 0, chosen.TTL) == (True, 2)
    asked = await etcd.grant_as(7, 100)
    assert (asked.ID, asked.TTL) == (7, 100)
    assert await refusal(etcd.grant_as(7, 100)) == LEASE_EXISTS
    assert await refusal(etcd.grant_as(0, 9_000_000_001)) == LEASE_TTL_TOO_LARGE
    assert (await etcd.put("a", lease=7)).header.revision == 2
    assert (await etcd.put("b", lease=7)).header.revision == 3
    assert await refusal(etcd.put("c", lease=8)) == LEASE_NOT_FOUND
    living = await etcd.time_to_live(7)
    assert (90 < living.TTL <= 100, living.grantedTTL) == (True, 100)
    assert await etcd.lease_keys(7) == ["a", "b"]
    assert (await etcd.put("b")).header.revision == 4
    assert await etcd.lease_keys(7) == ["a"]
    async with etcd.watch() as watch:
        await watch.create("a")
        assert (await etcd.revoke(7)).header.revision == 5
        assert await watch.events(1) == [delete_event(b"a", 5)]
    gone = await etcd.time_to_live(7)
    assert (gone.ID, gone.TTL, gone.grantedTTL) == (7, -1, 0)
    async with etcd.keep_alive() as keep_alive:
        renewed = await keep_alive.renew(7)
        assert (renewed.ID, renewed.TTL) == (7, 0)
    assert await refusal(etcd.revoke(7)) == LEASE_NOT_FOUND
