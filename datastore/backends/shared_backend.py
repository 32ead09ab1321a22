"""What the databases have in common that servers share: the life of a server at its database.

Any number of servers work on one store. Every write transaction locks the one row of `meta` first,
so commit order is revision order. Each server has a row in `member`, which it claims for as long as
it runs (`ear`), relies on what it has seen there (`standing`), and knows whether the database
answers (`lifeline`).

A dialect says how to open itself (`_prepare`), what its sessions are, and what its driver's errors
mean.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from datastore.backends.back_off import BackOff
from datastore.backends.identity import Identity, register
from datastore.backends.lifeline import Lifeline
from datastore.backends.standing import Standing
from datastore.errors import StartError
from datastore.mvcc.backend import BackendDown, BackendFailed
from datastore.mvcc.giving_way import Patience, in_turn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datastore.backends.ear import Ear
    from datastore.backends.shared_session import SharedSession
    from datastore.mvcc.backend import Session, Sighting

log = logging.getLogger(__name__)
RETRY_SECONDS = 0.25  # before listening again, the first time
LONGEST_RETRY = 2.0
REGISTER_TIMES = 20
PATIENCE = Patience(REGISTER_TIMES, first=0.01, longest=0.5)


class SharedBackend(ABC):
    """The store in a database that servers share; `trouble` is what its driver raises."""

    exclusive = False
    disk_turns = 0
    newest = None
    longest_key: int
    trouble: type[Exception]
    _ear: Ear[Any, Any]

    def __init__(self, name: str, identity: Identity) -> None:
        """Take a name of the database for people."""
        self._name = name
        self._identity = identity
        self._lifeline = Lifeline()
        self._standing = Standing()
        self._like = ""  # what the connections are like, for the log
        self.warnings: tuple[str, ...] = ()

    @property
    def cluster_id(self) -> int:
        """The id of the store."""
        return self._standing.cluster_id

    @property
    def member_id(self) -> int:
        """The id of the member row."""
        return self._standing.member_id

    @property
    def broken(self) -> str:
        """Why the database cannot be relied on any more; empty while it can."""
        return self._standing.broken

    def open(self) -> None:
        """Check, migrate and register; warn if the database may forget commits."""
        try:
            self._prepare()
            self._register()
        except StartError:
            self._ear.drop()
            raise
        except (self.trouble, BackendDown, BackendFailed) as error:
            self._ear.drop()
            raise self._refusal(error) from error
        log.info("database=%s %s", self._name, self._like)
        for warning in self.warnings:
            log.warning("durability database=%s warning=%s", self._name, warning)

    def housekeep(self, session: Session) -> None:
        """Nothing to do: the database cleans up after itself."""
        del session

    def listen(
        self,
        heard: Callable[[], None],
        stopped: Callable[[], bool],
        saw: Callable[[Sighting], None],
    ) -> None:
        """Hear of other servers; after each reconnect say that there may have been commits."""
        back_off = BackOff(RETRY_SECONDS, LONGEST_RETRY)

        def heard_again() -> None:
            back_off.succeeded()
            heard()

        with self._lifeline.held(self._ear.cut):
            while not stopped():
                try:
                    self._ear.listen(heard_again, stopped, saw)
                except Exception as error:  # without this thread nobody hears, nor looks
                    unforeseen = None if isinstance(error, self.trouble) else error
                    said = self._said(error)
                    log.warning("listening again soon error=%s", said, exc_info=unforeseen)
                    self._ear.drop()
                    time.sleep(back_off.failed())

    def close(self) -> None:
        """Let go of the member row."""
        self._ear.close()

    @abstractmethod
    def fill(self, write: Callable[[Path], None]) -> None:
        """Fill the database with the rows of the file that `write` writes."""

    @abstractmethod
    def session(self, *, writer: bool = False) -> SharedSession[Any, Any]:
        """Return a new session; it connects when first used."""

    @abstractmethod
    def _prepare(self) -> None:
        """Refuse an unfit database, migrate it and open the ear; note `warnings` and `_like`."""

    @abstractmethod
    def _said(self, error: Exception) -> str:
        """Return an error in one line."""

    @abstractmethod
    def _refusal(self, error: Exception) -> StartError:
        """Return what to say of an error that ended the start, with the remedy."""

    def _register(self) -> None:
        with closing(self.session(writer=True)) as session:
            in_turn(partial(self._register_with, session), PATIENCE)

    def _register_with(self, session: SharedSession[Any, Any]) -> None:
        standing = self._standing
        with session.transaction() as tx:
            standing.cluster_id, standing.member_id = register(
                tx, self._identity, self._ear.claim, standing.first_batch
            )
            tx.commit_plain()
