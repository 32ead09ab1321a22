"""Turns at work that strangers may ask for: fair to every name, whoever asks most.

So many are `at_once` at work and at most `waiting` wait. Turns go round the names that wait, one to
each, and when all places are taken the name with most of them gives up its newest: whoever floods
one name finds himself refused and in his own way, and everybody else waits for a turn of each name
that waits. Belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque

from datastore.errors import TooManyRequests


class Turns:
    """A fair semaphore; see the module."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = at_once
        self._places = waiting
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, name: str) -> None:
        """Return when it is this name's turn, which `give_back` ends; or TooManyRequests."""
        if self._free:
            self._free -= 1
            return
        self._make_room(name)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._remove(name, turn)
            elif turn.exception() is None:
                self.give_back()
            raise

    def give_back(self) -> None:
        """Let the next one work, and pass over who is cancelled and has not yet run to say so."""
        while self._waiting:
            name = next(iter(self._waiting))
            queue = self._waiting.pop(name)
            turn = queue.popleft()
            if queue:
                self._waiting[name] = queue  # behind the others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _make_room(self, name: str) -> None:
        if sum(map(len, self._waiting.values())) < self._places:
            return
        longest = max(self._waiting, key=lambda other: len(self._waiting[other]))
        if len(self._waiting[longest]) <= len(self._waiting.get(name, ())) + 1:
            raise TooManyRequests
        newest = self._waiting[longest].pop()
        if not newest.done():
            newest.set_exception(TooManyRequests())

    def _remove(self, name: str, turn: asyncio.Future[None]) -> None:
        """Forget a cancelled turn, which `give_back` or `_make_room` may have dropped already."""
        queue = self._waiting.get(name, deque())
        if turn not in queue:
            return
        queue.remove(turn)
        if not queue:
            del self._waiting[name]
