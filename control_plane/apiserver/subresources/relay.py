"""Running a relay: until it ends, its client leaves, or the server stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from control_plane.apiserver.http.request import Request


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
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
