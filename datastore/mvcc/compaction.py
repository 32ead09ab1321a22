"""Removing the history that a compaction gave up, in short steps behind it.

Of servers that share a database the one that leads removes it, whoever was asked to compact: it
sees within a second that there is something to remove, and so does its successor when it is killed.
The others see how far it came.

`Compact` only raises the compact revision, in one commit. The rows go afterwards, a step a batch,
each `STEP_SECONDS` long, so that a writer waits for one, its commit and those who waited with him:
less than 50 ms together. Between two steps there is a pause, in which those who waited are served.
How far it came is stored with the rows, so it resumes after a crash.

Where so much is written that this would never catch up, steps are longer: each goes over twice as
many events as there have been revisions since the one before, `LEAST_EVENTS` at most. Without that
a store that is always busy would grow for ever, however often it is compacted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from datastore.mvcc.requests import Prune

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.mvcc.backend import Sighting
    from datastore.mvcc.requests import Place
    from datastore.mvcc.writer import Writer

STEP_SECONDS, STEP_EVENTS = 0.01, 8_192
PAUSE_SECONDS = 0.01
LEAST_EVENTS = 4_096


class Compactor:
    """Prunes in the background; `run` is its task."""

    def __init__(self, writer: Writer, leads: Callable[[], bool]) -> None:
        """Take, beside the writer, whether this server is the one that prunes."""
        self._writer = writer
        self._leads = leads
        self._wanted = asyncio.Event()
        self._wanted.set()  # a run that an earlier process left unfinished
        self._advanced = asyncio.Event()  # another one each time
        self._place: Place | None = None  # where the next step goes on
        self._stepped_at = 0  # the store's revision at the last step
        self.pruned_revision = -1

    def start(self) -> None:
        """Begin, or go on with a higher compact revision."""
        self._wanted.set()

    def saw(self, state: Sighting) -> None:
        """Note how far this server, or another one, has pruned; begin if that is not all."""
        if state.pruned_revision == state.compact_revision:
            self._advance(state.pruned_revision)
        else:
            self.start()

    async def reached(self, revision: int) -> None:
        """Wait until everything that a compaction to the revision gives up is gone."""
        while self.pruned_revision < revision:
            await self._advanced.wait()

    async def run(self) -> None:
        """Prune whenever there is something to prune; until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if not self._leads():
                continue
            done = False
            try:
                done = await self._prune()
            finally:
                if not done:
                    self._wanted.set()  # the next step, after the writers that wait

    async def _prune(self) -> bool:
        reached = self._writer.reached
        least = min(2 * (reached - self._stepped_at), LEAST_EVENTS) if self._stepped_at else 0
        step = Prune(STEP_EVENTS, self._place, STEP_SECONDS, least)
        pruned = await self._writer.submit(step)
        self._place = pruned.place
        self._stepped_at = 0 if pruned.done else reached
        if pruned.done:
            self._advance(pruned.revision)
        else:
            await asyncio.sleep(PAUSE_SECONDS)
        return bool(pruned.done)

    def _advance(self, revision: int) -> None:
        self.pruned_revision = max(self.pruned_revision, revision)
        self._advanced.set()
        self._advanced = asyncio.Event()
