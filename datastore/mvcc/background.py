"""Work that goes on for as long as the store does, whatever becomes of one turn of it.

A job waits for what there is to do, does it, and returns only when there will never be more. When
it raises, it is begun anew after a pause: what is still to be done has to be in its object, not in
its variables. Trouble with the database is expected, and has been logged where the driver said it.
Any other error is a fault of ours: it is logged as such each time, and met again less and less
often, because work that lies undone for good (leases that never expire, history that is never
compacted) would be worse than the fault.

The store owns the tasks: one `keep` each.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from datastore.errors import DatastoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    Job = Callable[[], Coroutine[Any, Any, None]]

log = logging.getLogger(__name__)
RETRY_SECONDS = 0.5
LONGEST_PAUSE = 30.0


async def keep(
    name: str,
    job: Job,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Run a job until it returns or this is cancelled, again and again when it fails."""
    pause = 0.0
    while True:
        began = clock()
        try:
            return await job()
        except DatastoreError as error:
            pause = RETRY_SECONDS
            log.debug("background work waits for the database job=%s error=%s", name, error)
        except Exception:
            pause = _next_pause(pause, clock() - began)
            log.critical(
                "background work failed, tried again job=%s seconds=%.1f",
                name,
                pause,
                exc_info=True,
            )
        await sleep(pause)


def every(seconds: float, step: Callable[[], Awaitable[object]]) -> Job:
    """Return the job that takes a step at every interval, the first after one."""

    async def job() -> None:
        while True:
            await asyncio.sleep(seconds)
            await step()

    return job


def _next_pause(last: float, lasted: float) -> float:
    """Return twice the last pause, the first one for work that has done well for a while."""
    if lasted > LONGEST_PAUSE:
        return RETRY_SECONDS
    return min(max(2 * last, RETRY_SECONDS), LONGEST_PAUSE)
