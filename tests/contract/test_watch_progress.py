"""Watch: progress notifications, asked for and periodic."""

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client

pytestmark = pytest.mark.every_front
OFTEN = "--watch-progress-notify-interval=150ms"


async def test_a_request_is_answered_for_the_whole_stream(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a")
        await watch.create("b")
        revision = (await etcd.put("other")).header.revision
        await watch.request_progress()
        progress = await watch.next()

    assert progress == pb.WatchResponse(header=progress.header, watch_id=-1)
    assert progress.header.revision == revision


async def test_writes_outside_the_range_advance_progress(etcd: Client) -> None:
    async with etcd.watch() as watch:
        base = (await watch.create("a")).header.revision
        seen = []
        for _ in range(3):
            await etcd.put("other")
            await watch.request_progress()
            seen.append((await watch.next()).header.revision)

    assert seen == [base + 1, base + 2, base + 3]


async def test_progress_never_overtakes_events(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a")
        for _ in range(100):
            revision = (await etcd.put("a")).header.revision
            await watch.request_progress()
            event = await watch.next()
            progress = await watch.next()
            assert event.events[0].kv.mod_revision == revision
            assert (progress.watch_id, progress.header.revision) == (-1, revision)


async def test_each_request_is_answered(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a")
        for _ in range(5):
            await watch.request_progress()
        answers = await watch.take(5)

    assert [answer.watch_id for answer in answers] == [-1] * 5


@pytest.mark.etcd_since("3.5.13")
async def test_without_watchers_there_is_no_answer(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.request_progress()
        created = await watch.create("a")
        await watch.cancel(0)
        cancelled = await watch.next()
        await watch.request_progress()
        again = await watch.create("a")

    assert (created.created, cancelled.canceled, again.created) == (True, True, True)


@pytest.mark.etcd_since("3.5.13")
async def test_with_a_watcher_of_the_future_there_is_no_answer(etcd: Client) -> None:
    async with etcd.watch() as watch:
        base = (await watch.create("a")).header.revision
        await watch.create("b", start_revision=base + 100, watch_id=5)
        await watch.request_progress()
        await watch.cancel(5)
        cancelled = await watch.next()
        await watch.request_progress()
        progress = await watch.next()

    assert (cancelled.watch_id, cancelled.canceled) == (5, True)
    assert (progress.watch_id, progress.header.revision) == (-1, base)


@pytest.mark.etcd_since("3.5.13")
async def test_progress_comes_after_the_history(etcd: Client) -> None:
    base = await etcd.revision()
    for _ in range(50):
        await etcd.put("a")
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=base + 1)
        await watch.events(50)
        await watch.request_progress()
        progress = await watch.next()

    assert (progress.watch_id, progress.header.revision) == (-1, base + 50)


@pytest.mark.etcd_since("3.6")
@pytest.mark.own_server(OFTEN)
async def test_periodic_progress_goes_to_the_watchers_of_the_present_that_asked(
    etcd: Client,
) -> None:
    async with etcd.watch() as watch:
        await watch.create("a", watch_id=4)
        future = await etcd.revision() + 100
        await watch.create("a", watch_id=5, progress_notify=True, start_revision=future)
        await watch.create("a", watch_id=3, progress_notify=True)  # last: progress comes after it
        first = await watch.next()
        revision = (await etcd.put("other")).header.revision
        answers = [await watch.next()]
        while answers[-1].header.revision < revision:
            answers.append(await watch.next())
        again = await watch.next()

    assert first == pb.WatchResponse(header=first.header, watch_id=3)
    assert {answer.watch_id for answer in answers} == {3}
    assert again == pb.WatchResponse(header=again.header, watch_id=3)
    assert again.header.revision == revision


@pytest.mark.etcd_since("3.5.13")
async def test_a_compacted_watcher_withholds_progress_until_it_is_cancelled(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("a")
    await etcd.put("a")
    await etcd.compact(base + 2)
    async with etcd.watch() as watch:
        await watch.create("a")
        await watch.create("a", start_revision=base + 1)
        assert (await watch.next()).compact_revision == base + 2
        await watch.request_progress()
        await watch.cancel(1)
        cancelled = await watch.next()
        await watch.request_progress()
        progress = await watch.next()

    assert (cancelled.watch_id, cancelled.canceled) == (1, True)
    assert (progress.watch_id, progress.header.revision) == (-1, base + 2)
