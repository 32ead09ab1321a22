"""One timer bounds all requests."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from control_plane.apiserver.http.deadlines import Bound, Deadlines

T = TypeVar("T")


async def bounded(deadlines: Deadlines, work: Awaitable[T]) -> T:
    task = asyncio.current_task()
    assert task is not None
    with Bound(deadlines, task):
        return await work


async def test_what_takes_too_long_is_ended_and_what_does_not_is_not() -> None:
    deadlines = Deadlines(0.05)
    forever = asyncio.Event()

    async def quick() -> int:
        await asyncio.sleep(0)
        return 7

    slow = [asyncio.create_task(bounded(deadlines, forever.wait())) for _ in range(3)]
    assert await bounded(deadlines, quick()) == 7
    for task in slow:
        with pytest.raises(TimeoutError):
            await task
    late = asyncio.create_task(bounded(deadlines, forever.wait()))
    with pytest.raises(TimeoutError):
        await late


async def test_somebody_elses_cancellation_stays_one() -> None:
    deadlines = Deadlines(60)
    task = asyncio.create_task(bounded(deadlines, asyncio.Event().wait()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_is_passed_on() -> None:
    async def fails() -> None:
        raise KeyError("k")

    with pytest.raises(KeyError):
        await bounded(Deadlines(60), fails())
