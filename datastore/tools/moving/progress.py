"""How far a move has come: one line that overwrites itself, where somebody looks at it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

WIDTH = 24
EVERY_SECONDS = 0.1
CLEAR = "\r\x1b[K"


class Progress:
    """A bar on a terminal; silent on anything else."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._on = stream.isatty()
        self._verb, self._total, self._done = "", 0, 0
        self._shown_at = -math.inf

    def begin(self, verb: str, total: int, done: int = 0) -> None:
        """Start a bar, of `total` keys of which some are done."""
        self._verb, self._total, self._done = verb, total, done
        self._shown_at = -math.inf
        self.advance(0)

    def advance(self, keys: int) -> None:
        """Count keys, and show them now and then."""
        self._done += keys
        now = self._clock()
        if self._on and now - self._shown_at >= EVERY_SECONDS:
            self._shown_at = now
            self._stream.write(CLEAR + self.line())
            self._stream.flush()

    def end(self) -> None:
        """Take the bar away."""
        if self._on:
            self._stream.write(CLEAR)
            self._stream.flush()

    def line(self) -> str:
        """Return the bar as it is now."""
        total = max(self._total, self._done)
        share = self._done / total if total else 1.0
        full = int(share * WIDTH)
        bar = "#" * full + "-" * (WIDTH - full)
        return f"{self._verb} [{bar}] {share:4.0%} {self._done:,} of {total:,} keys"
