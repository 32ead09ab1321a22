"""Ways to hand events to a backend: one by one as they come, or in batches from a bounded buffer.

A full buffer loses events; the log says how many. What is in the buffer at the end is delivered,
if that takes no longer than LAST_SECONDS.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from control_plane.api.objects import Object
from control_plane.apiserver.audit.auditor import BackendError
from control_plane.apiserver.audit.truncation import divided, truncated

LAST_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Target(Protocol):
    """A log file or a server."""

    async def deliver(self, events: Sequence[Object]) -> None:
        """Write or send events; raises BackendError."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class Truncation:
    """Sizes in bytes beyond which events are cut down and batches divided."""

    is_enabled: bool = False
    max_event_bytes: int = 102_400
    max_batch_bytes: int = 10_485_760


@dataclass(frozen=True, slots=True)
class Batching:
    """How batches are made; `rate` is batches a second with bursts, None for no limit."""

    buffer_size: int
    max_size: int
    max_wait_seconds: float
    rate: float | None = None
    burst: int = 1


class DirectBackend:
    """Each event is delivered before the request goes on."""

    def __init__(self, target: Target, truncation: Truncation, *, is_strict: bool) -> None:
        """Deliver to `target`."""
        self.is_strict = is_strict
        self._target = target
        self._truncation = truncation

    async def take(self, event: Object) -> None:
        """Deliver an event; raises BackendError."""
        await self._target.deliver([_fitting(event, self._truncation)])

    async def run(self) -> None:
        """Nothing is left to do."""

    async def close(self) -> None:
        """Let go of the target."""
        await self._target.close()


class BatchBackend:
    """Events wait in a buffer and are delivered in batches, beside the requests."""

    is_strict = False

    def __init__(
        self,
        target: Target,
        truncation: Truncation,
        batching: Batching,
        lost: Callable[[str, int], None],
    ) -> None:
        """Deliver to `target`; events that it does not take are lost, and `lost` is told."""
        self._lost = lost
        self._target = target
        self._truncation = truncation
        self._batching = batching
        self._buffer: asyncio.Queue[Object] = asyncio.Queue(batching.buffer_size)
        self._batch: list[Object] = []
        self._tokens, self._filled = float(batching.burst), time.monotonic()

    async def take(self, event: Object) -> None:
        """Put an event into the buffer; raises BackendError when that is full."""
        try:
            self._buffer.put_nowait(_fitting(event, self._truncation))
        except asyncio.QueueFull as error:
            raise BackendError("the audit buffer is full", "buffered") from error

    async def run(self) -> None:
        """Deliver batches until cancelled."""
        while True:
            self._batch = [await self._buffer.get()]
            await self._fill()
            await self._wait_for_turn()
            batch, self._batch = self._batch, []
            await self._send(batch)

    async def close(self) -> None:
        """Deliver what is left, and let go of the target."""
        waiting, self._batch = self._batch, []
        while not self._buffer.empty():
            waiting.append(self._buffer.get_nowait())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await self._send(waiting)
        await self._target.close()

    async def _fill(self) -> None:
        """Wait until the batch is full, but no longer than batches wait."""
        seconds = self._batching.max_wait_seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self._batch) < self._batching.max_size:
                    self._batch.append(await self._buffer.get())

    async def _wait_for_turn(self) -> None:
        """Wait until the rate allows one more batch."""
        rate = self._batching.rate
        if rate is None:
            return
        now = time.monotonic()
        self._tokens += (now - self._filled) * rate
        self._tokens, self._filled = min(self._tokens, float(self._batching.burst)), now
        self._tokens -= 1.0
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / rate)

    async def _send(self, events: Sequence[Object]) -> None:
        for start in range(0, len(events), self._batching.max_size):
            batch = events[start : start + self._batching.max_size]
            whole = not self._truncation.is_enabled
            for part in [batch] if whole else divided(batch, self._truncation.max_batch_bytes):
                try:
                    await self._target.deliver(part)
                except BackendError as error:
                    logger.error("audit events lost count=%d: %s", len(part), error)
                    self._lost(error.plugin, len(part))


def _fitting(event: Object, truncation: Truncation) -> Object:
    if not truncation.is_enabled:
        return event
    small = truncated(event, truncation.max_event_bytes)
    if small is None:
        text = f"it is larger than {truncation.max_event_bytes} bytes"
        raise BackendError(text, "truncate")
    return small
