"""The writer's half that speaks to the database: run, commit, and find out what became of it.

Called by the writer's thread. A batch is one transaction with one commit; a request that fails,
fails alone; a batch that the database refuses is run again one by one. When the connection breaks
at COMMIT the database is asked what came of it, so that nobody is told what is not so.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from datastore.errors import DatastoreError, NoSpace, Unavailable
from datastore.mvcc.backend import (
    BackendBroken,
    BackendDown,
    BackendFailed,
    BackendFull,
    CommitUnknown,
    Overtaken,
    Session,
    WriteTx,
)
from datastore.mvcc.batch import BatchState, Server
from datastore.mvcc.counters import WriterCounters
from datastore.mvcc.execution import execute
from datastore.mvcc.giving_way import Patience, in_turn
from datastore.mvcc.history import with_prevs
from datastore.mvcc.model import SUB_BITS, Event, State
from datastore.mvcc.moments import Moments
from datastore.mvcc.planning import plan
from datastore.mvcc.requests import DiskSpace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datastore.mvcc.model import Lease
    from datastore.mvcc.requests import WriteRequest

log = logging.getLogger(__name__)
ASK_TIMES, ASK_SECONDS = 5, 0.5  # how often, and how far apart, an unclear commit is asked about
OVERTAKEN_TIMES = 30  # how often a batch gives way to other servers' before it is refused
PATIENCE = Patience(OVERTAKEN_TIMES, first=0.001, longest=0.05)
FOREIGN = 32  # events of other servers that a batch reads along, under the store's lock


class Outcome(NamedTuple):
    """What a batch came to: a result or an error for each request, and what to publish.

    `first` is the revision that `events` start after; older ones are for the hub to read.
    `leases` holds those granted or renewed in the database, and None for those that have ended.
    """

    results: list[Any]
    first: int
    events: list[Event]
    revision: int
    compact_revision: int
    leases: Mapping[int, Lease | None] = MappingProxyType({})


class Committer:
    """Commits batches; see the module."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._newest = server.newest
        self.seen = 0  # every revision up to this one has been published or left to the hub
        self._batch = 0
        self._moments = Moments()
        self.counters = WriterCounters()

    def heard(self, revision: int) -> None:
        """Note up to where the hub has every event, of other servers too."""
        self.seen = max(self.seen, revision)

    def commit(
        self, session: Session, requests: Sequence[WriteRequest], wants_values: bool
    ) -> Outcome:
        """Commit the requests together; one by one if that fails: a fault is one request's own."""
        try:
            return self._with_retry(session, requests, wants_values)
        except (BackendDown, BackendBroken, CommitUnknown):
            raise
        except Exception as error:
            if len(requests) == 1:
                raise
            log.warning("batch refused, one by one requests=%d error=%r", len(requests), error)
        return self._one_by_one(session, requests, wants_values)

    def _one_by_one(
        self, session: Session, requests: Sequence[WriteRequest], wants_values: bool
    ) -> Outcome:
        first = expected = self.seen
        results: list[Any] = []
        events: list[Event] = []
        outcome = Outcome([], first, [], first, -1)
        leases: dict[int, Lease | None] = {}
        for request in requests:
            try:
                outcome = self._with_retry(session, [request], wants_values)
            except (BackendDown, BackendFailed, BackendBroken, CommitUnknown) as error:
                log.warning("request refused by the database error=%s", error)
                results.append(NoSpace() if isinstance(error, BackendFull) else Unavailable())
                self.counters.failed += 1
                continue
            except Exception as error:  # its caller gets it, the others go on
                log.exception("request failed")
                results.append(error)
                self.counters.failed += 1
                continue
            results += outcome.results
            leases.update(outcome.leases)
            if outcome.first > expected:  # the hub has to read what lies between
                first, events = outcome.first, []
            events += outcome.events
            expected = outcome.revision
        return outcome._replace(results=results, first=first, events=events, leases=leases)

    def _with_retry(
        self, session: Session, requests: Sequence[WriteRequest], wants_values: bool
    ) -> Outcome:
        """Try again once on a connection that turned out to be dead: nothing was written."""
        attempt = partial(self._attempt, session, requests, wants_values)
        try:
            return in_turn(attempt, PATIENCE)
        except Overtaken:
            raise
        except BackendDown as error:
            log.info("reconnecting error=%s", error)
            return in_turn(attempt, PATIENCE)

    def _attempt(
        self, session: Session, requests: Sequence[WriteRequest], wants_values: bool
    ) -> Outcome:
        self._batch += 1
        outcome: Outcome | None = None
        changed = False
        self.counters.begin()
        try:
            with session.transaction() as tx:
                batch, state = self._begin(tx, requests, wants_values)
                first, foreign = self._foreign(tx, state, wants_values)
                results = [_run(batch, request) for request in requests]
                self._moments.add(batch)
                changed = batch.write()
                events = foreign + batch.events
                outcome = Outcome(
                    results,
                    first,
                    events,
                    batch.revision,
                    batch.compact_revision,
                    batch.lease_changes,
                )
                if changed:
                    self.counters.commit()
                    tx.commit(self._batch, batch.revision)
        except CommitUnknown as error:
            if self._newest is not None:
                self._newest.forget()
            if not self._committed(session, error):
                raise BackendDown(f"not committed: {error}") from error
        assert outcome is not None  # only `commit` says CommitUnknown, and it comes last
        self.seen = outcome.revision
        if changed:
            self._moments.committed(batch)
            self.counters.committed(batch.events)
        self._keep_newest(batch)
        return outcome

    def _begin(
        self, tx: WriteTx, requests: Sequence[WriteRequest], wants_values: bool
    ) -> tuple[BatchState, State]:
        """Read what the requests name, but for rows that are in memory."""
        wanted = plan(requests, wants_values=wants_values)
        kept = self._newest.known(wanted.keys) if self._newest else {}
        prefetch = tx.prefetch(wanted.without(kept) if kept else wanted)
        batch = BatchState(tx, prefetch, self._server, wants_values=wants_values)
        batch.base.update(kept)
        batch.known.update(wanted.keys)
        batch.room = self._server.quota.room(tx)
        if tx.short_of_space():
            execute(batch, DiskSpace(full=True))
        return batch, prefetch.state

    def _keep_newest(self, batch: BatchState) -> None:
        """Let the rows in memory follow; while auth is on every read has to be judged."""
        if self._newest is not None:
            if batch.auth:
                self._newest.forget()
            else:
                self._newest.apply(batch.events, batch.revision)

    def _committed(self, session: Session, error: CommitUnknown) -> bool:
        """Ask the database, on a new connection and under the lock, what became of the batch.

        CommitUnknown again when it cannot be asked: then nobody may say, nor try once more.
        """
        for attempt in range(ASK_TIMES):
            try:
                return session.last_batch() == self._batch
            except (BackendDown, BackendFailed) as trouble:
                log.warning("commit unclear attempt=%d error=%s", attempt, trouble)
                time.sleep(ASK_SECONDS)
        raise CommitUnknown(str(error)) from error

    def _foreign(self, tx: WriteTx, state: State, wants_values: bool) -> tuple[int, list[Event]]:
        """Read what other servers committed since the last batch, if it is not too much."""
        if state.revision <= self.seen:
            return state.revision, []
        first, last = (self.seen + 1) << SUB_BITS, (state.revision + 1) << SUB_BITS
        rows = tx.history(first, last, FOREIGN + 1)
        if len(rows) > FOREIGN or state.compact_revision > self.seen:
            return state.revision, []
        if not wants_values:
            return self.seen, [Event(row, prev_known=False) for row in rows]
        return self.seen, with_prevs(tx, rows, state.compact_revision)


def _run(batch: BatchState, request: WriteRequest) -> Any:
    try:
        return execute(batch, request)
    except DatastoreError as error:
        return error
