"""Doing all of it again when other servers came first: nodes of a Galera cluster share no locks.

Used by the writer for batches, and by a server that registers. Who was overtaken has written
nothing; it waits for a moment, at random so that two do not meet again, and longer each time.
"""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from datastore.mvcc.backend import Overtaken

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
log = logging.getLogger(__name__)


class Patience(NamedTuple):
    """How often to begin again, and the first and the longest pause before it, in seconds."""

    times: int
    first: float
    longest: float


def in_turn(attempt: Callable[[], T], patience: Patience) -> T:
    """Return what an attempt comes to that nobody overtook; the last one's Overtaken is raised."""
    pause = patience.first
    for _ in range(patience.times):
        try:
            return attempt()
        except Overtaken as error:
            log.debug("overtaken error=%s", error)
        time.sleep(random.uniform(0, pause))
        pause = min(2 * pause, patience.longest)
    return attempt()
