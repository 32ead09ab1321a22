"""JSON to messages and back without keeping the event loop: what is large goes to one thread.

A stranger's body of 4 MiB can hold a million values, which take seconds whoever they are. One
thread for all of them leaves the loop its half of the interpreter. More than WAITING bodies are
refused with TooManyRequests; answers, which are made already, wait.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from datastore.errors import TooManyRequests
from datastore.gateway.json_reading import read_message
from datastore.gateway.json_writing import write_message

if TYPE_CHECKING:
    from collections.abc import Callable

WAITING = 64
LARGE_BODY = 16 << 10  # bytes of JSON: some milliseconds, at worst
LARGE_ANSWER = 256 << 10  # bytes of an encoded message, which are few values for their length
T = TypeVar("T")


class Conversion:
    """Converts for one server."""

    def __init__(self) -> None:
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="json")

    async def message(self, kind: Any, body: bytes) -> Any:
        """Return the message of a kind that a JSON text holds; BadJson if it holds none."""
        if len(body) <= LARGE_BODY:
            return read_message(kind, body)
        if self._waiting >= WAITING:
            raise TooManyRequests
        self._waiting += 1
        try:
            return await self._run(lambda: read_message(kind, body))
        finally:
            self._waiting -= 1

    async def text(self, kind: Any, encoded: bytes) -> bytes:
        """Return an encoded message of a kind as JSON."""
        if len(encoded) <= LARGE_ANSWER:
            return write_message(kind.FromString(encoded))
        return await self._run(lambda: write_message(kind.FromString(encoded)))

    def close(self) -> None:
        """Begin nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, convert: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, convert)
