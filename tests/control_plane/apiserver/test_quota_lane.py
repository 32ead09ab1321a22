"""The order of charges: how many are under way, and what a failure does to the others."""

import asyncio

import pytest

from control_plane.apiserver.admission.quota_lane import MOST_UNDER_WAY, QuotaLane

SOON = 60.0


async def begun(lane: QuotaLane) -> None:
    async with lane.turn(SOON):
        lane.begin()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def widened(lane: QuotaLane, successes: int) -> None:
    for _ in range(successes):
        await begun(lane)
        lane.end(succeeded=True)


async def waiting(lane: QuotaLane, count: int) -> list[asyncio.Task[None]]:
    """As many that want to begin, when all that may have begun."""
    tasks = [asyncio.create_task(begun(lane)) for _ in range(count)]
    await settled()
    return tasks


async def test_charges_are_one_at_a_time_at_first_and_more_after_each_success() -> None:
    lane = QuotaLane()
    first, second, third = await waiting(lane, 3)
    assert (first.done(), second.done()) == (True, False)
    lane.end(succeeded=True)
    await settled()
    assert (second.done(), third.done()) == (True, True)
    assert not lane.is_idle


async def test_there_are_never_more_than_the_bound() -> None:
    lane = QuotaLane()
    await widened(lane, 3 * MOST_UNDER_WAY)
    tasks = await waiting(lane, MOST_UNDER_WAY + 1)
    assert [task.done() for task in tasks] == [True] * MOST_UNDER_WAY + [False]
    lane.end(succeeded=True)
    await settled()
    assert tasks[-1].done()


async def test_after_a_failure_all_have_an_end_before_the_next_begins_alone() -> None:
    lane = QuotaLane()
    await widened(lane, 5)
    for _ in range(3):
        await begun(lane)
    lane.end(succeeded=False)
    next_one, after_it = await waiting(lane, 2)
    lane.end(succeeded=True)
    await settled()
    assert not next_one.done()
    lane.end(succeeded=False)
    await settled()
    assert (next_one.done(), after_it.done()) == (True, False)


async def test_who_waits_too_long_gives_up_and_hinders_nobody() -> None:
    lane = QuotaLane()
    await begun(lane)
    with pytest.raises(TimeoutError):
        async with lane.turn(0.01):
            raise AssertionError
    lane.end(succeeded=True)
    await lane.drained()
    await begun(lane)
    assert not lane.is_idle
