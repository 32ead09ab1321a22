"""Holding the thread of a lane, so that what is asked of it waits."""

import threading

from datastore.mvcc.answer import Nobody
from datastore.mvcc.backend import Session
from datastore.mvcc.lane import Lane


class Held:
    """Holds a lane's thread until it is let go."""

    def __init__(self, lane: Lane) -> None:
        self._begun = threading.Event()
        self._let_go = threading.Event()
        lane.submit(self._hold, Nobody())
        assert self._begun.wait(60)

    def _hold(self, session: Session) -> None:
        del session
        self._begun.set()
        assert self._let_go.wait(60)

    def let_go(self) -> None:
        """Let the thread go on."""
        self._let_go.set()
