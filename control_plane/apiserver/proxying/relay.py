"""Running a relay: until it ends, its client leaves, or the server stops."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from control_plane.apiserver.http.request import Request

logger = logging.getLogger(__name__)


async def run_relay(
    streams: set[asyncio.Task[None]], relay: Coroutine[Any, Any, None], request: Request | None
) -> bool:
    """Run `relay` as one of `streams`; return whether the client is still there.

    A client that leaves shows in `request`; None when the relay itself reads from the client.
    """
    task = asyncio.create_task(relay)
    streams.add(task)
    waiting: set[asyncio.Task[None]] = {task}
    leaver = asyncio.create_task(request.disconnected()) if request is not None else None
    if leaver is not None:
        waiting.add(leaver)
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        return leaver not in done
    finally:
        streams.discard(task)
        await end(*waiting)


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel the tasks of a relay and wait for them.

    What has broken one off is logged: the answer is under way, so that nobody can be told.
    """
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            logger.info("a relay broke off: %r", result)
