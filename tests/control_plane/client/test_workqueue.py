"""The workqueue: deduplication, delays, back-off, shutting down."""

import asyncio

import pytest

from control_plane.client.workqueue import ShutDown, WorkQueue
from tests.control_plane.client.hand_clock import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def queue(clock: HandClock) -> WorkQueue:
    return WorkQueue(clock=clock)


async def test_key_added_twice_is_worked_on_once(queue: WorkQueue) -> None:
    queue.add("a")
    queue.add("b")
    queue.add("a")

    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert len(queue) == 0


async def test_key_added_while_processed_comes_back_when_done(queue: WorkQueue) -> None:
    queue.add("a")
    await queue.get()

    queue.add("a")
    queue.add("a")
    assert len(queue) == 0

    queue.done("a")
    assert await queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_get_waits_for_a_key(queue: WorkQueue) -> None:
    waiting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)

    queue.add("a")

    assert await waiting == "a"


async def test_cancelled_getter_leaves_its_key_to_the_next(queue: WorkQueue) -> None:
    first, second = asyncio.ensure_future(queue.get()), asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)

    queue.add("a")
    first.cancel()

    assert await second == "a"


async def test_delayed_key_comes_when_it_is_due(queue: WorkQueue, clock: HandClock) -> None:
    queue.add_after("late", 10)
    queue.add_after("soon", 5)

    clock.advance(4.9)
    assert len(queue) == 0
    clock.advance(0.1)
    assert await queue.get() == "soon"
    clock.advance(5)
    assert await queue.get() == "late"


async def test_earliest_of_several_delays_counts(queue: WorkQueue, clock: HandClock) -> None:
    queue.add_after("a", 10)
    queue.add_after("a", 2)
    queue.add_after("a", 20)

    clock.advance(2)
    assert await queue.get() == "a"
    queue.done("a")
    clock.advance(100)
    assert len(queue) == 0


async def test_failures_double_the_delay_until_forgotten(
    queue: WorkQueue, clock: HandClock
) -> None:
    for milliseconds in (5, 10, 20, 40):
        queue.add_rate_limited("a")
        clock.advance(milliseconds / 1000 - 0.001)
        assert len(queue) == 0
        clock.advance(0.001)
        queue.done(await queue.get())

    assert queue.failures("a") == 4
    queue.forget("a")
    queue.add_rate_limited("a")
    clock.advance(0.005)
    assert await queue.get() == "a"


async def test_delay_never_exceeds_1000_seconds(queue: WorkQueue, clock: HandClock) -> None:
    for _ in range(40):
        queue.add_rate_limited("a")
        clock.advance(1000)
        queue.done(await queue.get())


async def test_more_than_a_hundred_failures_at_once_are_spread_at_ten_a_second(
    queue: WorkQueue, clock: HandClock
) -> None:
    for number in range(120):
        queue.add_rate_limited(f"key-{number}")

    clock.advance(0.01)
    assert len(queue) == 100
    clock.advance(1)
    assert len(queue) == 110
    clock.advance(1)
    assert len(queue) == 120


async def test_shut_down_queue_is_emptied_and_takes_nothing_new(
    queue: WorkQueue, clock: HandClock
) -> None:
    queue.add("a")
    queue.add_after("later", 1)
    queue.shut_down()
    queue.add("b")
    clock.advance(2)

    assert await queue.get() == "a"
    with pytest.raises(ShutDown):
        await queue.get()


async def test_shutting_down_wakes_those_who_wait(queue: WorkQueue) -> None:
    waiting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)

    queue.shut_down()

    with pytest.raises(ShutDown):
        await waiting


async def test_outdated_delays_do_not_pile_up(queue: WorkQueue, clock: HandClock) -> None:
    for _ in range(1000):
        queue.add_after("a", 1000.0)
        queue.add_after("a", 0.5)
        clock.advance(0.5)
        queue.done(await queue.get())
    assert len(queue._heap) < 100
