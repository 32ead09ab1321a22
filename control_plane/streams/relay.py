"""Passing bytes on between two wires, as they come."""

import asyncio
import contextlib

from control_plane.streams.wire import SocketWire


async def pass_on(one: SocketWire, other: SocketWire) -> None:
    """Pass bytes on both ways until either side has ended and all it sent was passed on.

    Neither side is read faster than the other takes what is written. The caller closes both.
    """
    tasks = [
        asyncio.create_task(copy(one, other)),
        asyncio.create_task(copy(other, one)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def copy(source: SocketWire, target: SocketWire, limit: int | None = None) -> None:
    """Pass bytes on until `source` ends, `target` is gone, or `limit` bytes have passed."""
    with contextlib.suppress(OSError):
        while limit is None or limit > 0:
            data = await source.read()
            if not data:
                return
            await target.write(data if limit is None else data[:limit])
            limit = None if limit is None else limit - len(data)
