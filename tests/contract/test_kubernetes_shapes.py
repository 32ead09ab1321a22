"""The requests a kube-apiserver makes, and what it uses of the answers."""

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, refusal
from tests.contract.refusals import COMPACTED, FUTURE_REVISION
from tests.contract.requests import Delete, If, Put, Range

pytestmark = pytest.mark.every_front
POD = "registry/pods/default/web"
PODS, PODS_END = "registry/pods/", "registry/pods0"
CLOCK = "compact_rev_key"


async def create(etcd: Client, key: str, value: bytes, lease: int = 0) -> pb.TxnResponse:
    """Create an object that must not exist."""
    return await etcd.txn([If(key, "mod", "=", 0)], [Put(key, value, lease=lease)])


async def update(etcd: Client, key: str, value: bytes, revision: int) -> pb.TxnResponse:
    """Update an object seen at a revision, or learn what it is now."""
    return await etcd.txn([If(key, "mod", "=", revision)], [Put(key, value)], [Range(key)])


async def delete(etcd: Client, key: str, revision: int) -> pb.TxnResponse:
    """Delete an object seen at a revision, or learn what it is now."""
    return await etcd.txn([If(key, "mod", "=", revision)], [Delete(key)], [Range(key)])


async def test_create_answers_the_resource_version(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await create(etcd, POD, b"{}")

    assert (answer.succeeded, answer.header.revision) == (True, base + 1)
    assert answer.responses[0].response_put.header.revision == base + 1
    assert (await etcd.range(POD, limit=1)).kvs[0].mod_revision == base + 1


async def test_create_of_what_exists_fails_and_changes_nothing(etcd: Client) -> None:
    first = await create(etcd, POD, b"{}")

    second = await create(etcd, POD, b"other")

    assert (second.succeeded, list(second.responses)) == (False, [])
    assert second.header.revision == first.header.revision
    assert (await etcd.range(POD)).kvs[0].value == b"{}"


async def test_update_at_the_right_revision(etcd: Client) -> None:
    revision = (await create(etcd, POD, b"1")).header.revision

    answer = await update(etcd, POD, b"2", revision)

    assert (answer.succeeded, answer.header.revision) == (True, revision + 1)
    stored = etcd.stored(POD, b"2", create=revision, mod=revision + 1, version=2)
    assert list((await etcd.range(POD)).kvs) == [stored]


async def test_update_at_an_old_revision_shows_the_present_object(etcd: Client) -> None:
    revision = (await create(etcd, POD, b"1")).header.revision
    await update(etcd, POD, b"2", revision)

    answer = await update(etcd, POD, b"3", revision)

    shown = etcd.stored(POD, b"2", create=revision, mod=revision + 1, version=2)
    assert not answer.succeeded
    assert answer.header.revision == revision + 1
    assert answer.responses[0].response_range == pb.RangeResponse(
        header=pb.ResponseHeader(revision=revision + 1), kvs=[shown], count=1
    )


async def test_update_of_what_is_gone_shows_nothing(etcd: Client) -> None:
    revision = (await create(etcd, POD, b"1")).header.revision
    await delete(etcd, POD, revision)

    answer = await update(etcd, POD, b"2", revision)

    assert not answer.succeeded
    assert list(answer.responses[0].response_range.kvs) == []


async def test_delete_at_the_right_revision(etcd: Client) -> None:
    revision = (await create(etcd, POD, b"1")).header.revision

    answer = await delete(etcd, POD, revision)

    inner = answer.responses[0].response_delete_range
    assert (answer.succeeded, answer.header.revision) == (True, revision + 1)
    assert (inner.header.revision, inner.deleted) == (revision + 1, 1)


async def test_delete_at_an_old_revision_shows_the_present_object(etcd: Client) -> None:
    revision = (await create(etcd, POD, b"1")).header.revision
    await update(etcd, POD, b"2", revision)

    answer = await delete(etcd, POD, revision)

    assert not answer.succeeded
    assert answer.responses[0].response_range.kvs[0].value == b"2"


async def test_delete_of_what_never_was_fails(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.txn([If("pod", "mod", "=", base)], [Delete("pod")], [Range("pod")])

    assert not answer.succeeded
    assert (answer.responses[0].response_range.count, answer.header.revision) == (0, base)


async def test_a_paged_list_is_consistent(etcd: Client) -> None:
    for number in range(5):
        await create(etcd, f"{PODS}default/p{number}", b"%d" % number)
    first = await etcd.range(PODS, PODS_END, limit=2)
    pinned = first.header.revision
    await etcd.delete(f"{PODS}default/p3")
    await create(etcd, f"{PODS}default/p9", b"9")

    second = await etcd.range(first.kvs[-1].key + b"\0", PODS_END, limit=2, revision=pinned)
    third = await etcd.range(second.kvs[-1].key + b"\0", PODS_END, limit=2, revision=pinned)

    pages = [first, second, third]
    values = [[kv.value for kv in page.kvs] for page in pages]
    assert values == [[b"0", b"1"], [b"2", b"3"], [b"4"]]
    assert [(page.count, page.more) for page in pages] == [(5, True), (3, True), (1, False)]


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [pytest.param(-1, COMPACTED, id="compacted"), pytest.param(5, FUTURE_REVISION, id="future")],
)
async def test_a_list_at_an_impossible_revision(etcd: Client, ahead: int, expected: object) -> None:
    await create(etcd, POD, b"1")
    revision = (await create(etcd, f"{POD}2", b"1")).header.revision
    await etcd.compact(revision, physical=False)

    listing = etcd.range(PODS, PODS_END, limit=10, revision=revision + ahead)

    assert await refusal(listing) == expected


async def test_a_key_that_never_exists_tells_the_current_revision(etcd: Client) -> None:
    revision = (await create(etcd, POD, b"1")).header.revision

    answer = await etcd.range("registry/pods", limit=1)

    assert (list(answer.kvs), answer.header.revision) == ([], revision)


async def test_counting_objects_of_a_resource(etcd: Client) -> None:
    await create(etcd, POD, b"1")
    await create(etcd, "registry/podtemplates/default/x", b"1")

    answer = await etcd.range(PODS, PODS_END, count_only=True)

    assert answer.count == 1


async def test_a_watch_continues_a_list(etcd: Client) -> None:
    await create(etcd, POD, b"1")
    listed = await etcd.range(PODS, PODS_END)
    revision = listed.header.revision
    await update(etcd, POD, b"2", listed.kvs[0].mod_revision)
    await delete(etcd, POD, revision + 1)
    async with etcd.watch(metadata=[("hasleader", "true")]) as watch:
        await watch.create(
            PODS, PODS_END, start_revision=revision + 1, prev_kv=True, progress_notify=True
        )
        updated, deleted = await watch.events(2)
        await create(etcd, "registry/other", b"x")
        await watch.request_progress()
        progress = await watch.next()

    assert (updated.kv.mod_revision, updated.prev_kv.value) == (revision + 1, b"1")
    assert updated.kv.create_revision != updated.kv.mod_revision
    assert (deleted.kv.mod_revision, deleted.prev_kv.value) == (revision + 2, b"2")
    assert (progress.watch_id, progress.header.revision) == (-1, revision + 3)


async def test_events_share_a_lease(etcd: Client) -> None:
    lease = await etcd.grant(3660)

    for number in range(3):
        await create(etcd, f"registry/events/default/e{number}", b"{}", lease=lease)

    assert (await etcd.range("registry/events/default/e1")).kvs[0].lease == lease
    assert len(await etcd.lease_keys(lease)) == 3


async def compact_round(etcd: Client, logical: int, recorded: bytes) -> pb.TxnResponse:
    """One try of the compaction clock: whoever knows its version writes."""
    return await etcd.txn(
        [If(CLOCK, "version", "=", logical)], [Put(CLOCK, recorded)], [Range(CLOCK)]
    )


async def test_one_of_two_apiservers_compacts(etcd: Client) -> None:
    first = await compact_round(etcd, 0, b"0")
    other = await compact_round(etcd, 0, b"0")
    learned = other.responses[0].response_range.kvs[0].version
    recorded = first.header.revision
    second = await compact_round(etcd, 1, b"%d" % recorded)
    late = await compact_round(etcd, learned, b"%d" % other.header.revision)

    assert (first.succeeded, other.succeeded, learned) == (True, False, 1)
    assert (second.succeeded, late.succeeded) == (True, False)
    assert late.responses[0].response_range.kvs[0].version == 2
    await etcd.compact(recorded, physical=False)
    assert await refusal(etcd.range(CLOCK, revision=recorded - 1)) == COMPACTED


async def test_the_compacted_revision_is_seen_by_watching_the_clock(etcd: Client) -> None:
    await compact_round(etcd, 0, b"0")
    got = await etcd.range(CLOCK)
    async with etcd.watch() as watch:
        await watch.create(CLOCK, start_revision=got.header.revision)
        assert (await watch.events(1))[0].kv.value == b"0"
        await compact_round(etcd, 1, b"5")
        events = await watch.events(1)

    assert events[0].kv.value == b"5"


async def test_health_is_a_read_of_a_key_that_may_not_exist(etcd: Client) -> None:
    assert (await etcd.range("registry/health")).count == 0
