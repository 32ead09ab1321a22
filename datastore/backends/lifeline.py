"""Is the database still there? A database that froze keeps its connections and says nothing.

The listening connection asks once a second. When no answer has come for `AWAY_SECONDS`, every
connection is cut, so that whoever waits on one is told, and until the listener has its answer again
new calls are refused at once: a caller gets UNAVAILABLE in seconds, as from an etcd without a
leader, and what it wrote may or may not have happened.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, TypeVar
from weakref import WeakSet

from datastore.backends.back_off import BackOff
from datastore.mvcc.backend import BackendDown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)
AWAY_SECONDS = 4.0
LOOK_SECONDS = 0.5
FIRST_PAUSE = 0.02  # between attempts to connect
LONGEST_PAUSE = 1.0
PATIENCE = 0.1


class Cuttable(Protocol):
    """What waits for the database."""

    def cut(self) -> None:
        """End the wait."""


class SharedConnection(Cuttable, Protocol):
    """A driver's connection to a database that servers share. One thread uses it; any may `cut`."""

    def leave(self) -> None:
        """Close it, in whatever state it is."""


AnyConnection = TypeVar("AnyConnection", bound=SharedConnection)


class Lifeline:
    """What a server knows of its database; see the module. `away` is read by every session."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answered = clock()
        self._sessions: WeakSet[Cuttable] = WeakSet()
        self._lock = threading.Lock()
        self.away = False
        self._connecting = BackOff(FIRST_PAUSE, LONGEST_PAUSE, clock=clock)
        self._trouble = ""

    def join(self, session: Cuttable) -> None:
        """Remember a session for as long as it lives."""
        with self._lock:
            self._sessions.add(session)

    def answered(self) -> None:
        """Note that the database has answered just now."""
        self._answered = self._clock()
        self._connecting.succeeded()
        if self.away:
            log.warning("the database answers again")
            self.away = False

    def connect(self, make: Callable[[], AnyConnection]) -> AnyConnection:
        """Make a connection for a session; BackendDown, which `make` may raise, when there is none.

        Sessions share the pauses between attempts that fail: who comes within one waits for its
        end if that is near, and is refused at once if it is not.
        """
        left = self._connecting.left()
        if self.away or left > PATIENCE:
            raise BackendDown(self._trouble or "the database does not answer")
        time.sleep(left)
        try:
            connection = make()
        except BackendDown as error:
            self._connecting.failed()
            self._trouble = str(error)
            raise
        self._connecting.succeeded()
        return connection

    @contextmanager
    def held(self, cut_listener: Callable[[], None]) -> Iterator[None]:
        """Look after the connections, in a thread of its own, while the listener asks."""
        ended = threading.Event()
        self._answered = self._clock()
        looking = threading.Thread(
            target=self._look, args=(ended, cut_listener), name="lifeline", daemon=True
        )
        looking.start()
        try:
            yield
        finally:
            ended.set()
            looking.join()

    def _look(self, ended: threading.Event, cut_listener: Callable[[], None]) -> None:
        cut_at = self._answered
        while not ended.wait(LOOK_SECONDS):
            if self._clock() - max(self._answered, cut_at) < AWAY_SECONDS:
                continue
            cut_at = self._clock()
            if not self.away:
                log.warning("the database does not answer: its connections are cut")
            self.away = True
            cut_listener()
            with self._lock:
                sessions = list(self._sessions)
            for session in sessions:
                session.cut()


def shut(descriptor: int) -> None:
    """Shut a socket, from a thread that does not own it: whoever waits on it gets an error at once.

    Closing it remains the owner's.
    """
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as own:
        own.shutdown(socket.SHUT_RDWR)
