"""Removing the history that a compaction gave up, in short steps behind it.

`Compact` only raises the compact revision, in one commit. The rows go afterwards, a step a batch,
each short enough (`STEP_SECONDS`) that writers do not notice. How far it came is stored with the
rows, so it resumes after a crash.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from datastore.mvcc.requests import Prune

if TYPE_CHECKING:
    from datastore.mvcc.writer import Writer

STEP_SECONDS = 0.05
SMALLEST_STEP, LARGEST_STEP = 32, 8_192


class Compactor:
    """Prunes in the background; `run` is its task."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._wanted = asyncio.Event()
        self._wanted.set()  # a run that an earlier process left unfinished
        self._advanced = asyncio.Condition()
        self._step = 256
        self.pruned_revision = -1

    def start(self) -> None:
        """Begin, or go on with a higher compact revision."""
        self._wanted.set()

    async def reached(self, revision: int) -> None:
        """Wait until everything that a compaction to the revision gives up is gone."""
        async with self._advanced:
            await self._advanced.wait_for(lambda: self.pruned_revision >= revision)

    async def run(self) -> None:
        """Prune whenever there is something to prune; until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            done = False
            try:
                done = await self._prune()
            finally:
                if not done:
                    self._wanted.set()  # the next step, after the writers that wait

    async def _prune(self) -> bool:
        began = time.monotonic()
        pruned = await self._writer.submit(Prune(self._step))
        self._step = next_step(self._step, time.monotonic() - began)
        if pruned.done:
            async with self._advanced:
                self.pruned_revision = pruned.revision
                self._advanced.notify_all()
        return bool(pruned.done)


def next_step(step: int, seconds: float) -> int:
    """Return how many events the next step takes, given how long the last one took."""
    if seconds > STEP_SECONDS:
        return max(SMALLEST_STEP, step // 2)
    return min(LARGEST_STEP, step * 2) if seconds < STEP_SECONDS / 4 else step
