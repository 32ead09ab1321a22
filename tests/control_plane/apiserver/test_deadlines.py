"""One timer bounds all requests."""

import asyncio

import pytest

from control_plane.apiserver.http.deadlines import Deadlines


async def test_what_takes_too_long_is_ended_and_what_does_not_is_not() -> None:
    deadlines = Deadlines(0.05)
    forever = asyncio.Event()

    async def quick() -> int:
        await asyncio.sleep(0)
        return 7

    slow = [asyncio.create_task(deadlines.bound(forever.wait())) for _ in range(3)]
    assert await deadlines.bound(quick()) == 7
    for task in slow:
        with pytest.raises(TimeoutError):
            await task
    late = asyncio.create_task(deadlines.bound(forever.wait()))
    with pytest.raises(TimeoutError):
        await late


async def test_somebody_elses_cancellation_stays_one() -> None:
    deadlines = Deadlines(60)
    task = asyncio.create_task(deadlines.bound(asyncio.Event().wait()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_is_passed_on() -> None:
    async def fails() -> None:
        raise KeyError("k")

    with pytest.raises(KeyError):
        await Deadlines(60).bound(fails())
