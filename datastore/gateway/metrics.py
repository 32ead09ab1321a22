"""/metrics: looks at the server, and writes what it saw in Prometheus' text format.

What costs a query (the number of keys, alarms) is read from the database, and left as it was last
seen while the database is away: metrics have to be had just then. Text is made in a thread.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from datastore.errors import DatastoreError
from datastore.gateway.families import NO_SUFFIX, Facts, families
from datastore.gateway.health import Answer
from datastore.gateway.own_families import OwnFacts, look_at, own_families
from datastore.gateway.process import look
from datastore.mvcc.auth.model import NOBODY, AuthTables
from datastore.mvcc.counts import count_all
from datastore.rpc.maintenance import alarm_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric

    from datastore.gateway.health import Health
    from datastore.mvcc.model import Alarm
    from datastore.rpc.answering import Edge

READ_SECONDS = 5.0
CONTENT = {"content-type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"}


class Metrics:
    """Answers /metrics for one server."""

    def __init__(self, edge: Edge, health: Health, *, extensive: bool) -> None:
        self._edge = edge
        self._health = health
        self._extensive = extensive
        self._process = ProcessCollector(registry=None)
        self._keys = 0
        self._auth_revision = 1
        self._alarms: list[Alarm] = []
        self._busy = asyncio.Lock()  # scrapes that come together are made one by one

    async def scrape(self) -> Answer:
        """Return the metrics of this moment."""
        async with self._busy:
            await self._read()
            facts, own = self._facts(), look_at(self._edge.store)
            return Answer(200, await asyncio.to_thread(self._text, facts, own), CONTENT)

    async def _read(self) -> None:
        store = self._edge.store
        try:
            async with asyncio.timeout(READ_SECONDS):
                self._alarms = (await store.standing()).alarms
        except (TimeoutError, DatastoreError):
            store.leadership.saw(0)  # nobody keeps the lock of a database that is away
            return
        try:
            async with asyncio.timeout(READ_SECONDS):
                counts = store.hub.counts
                self._keys = await store.read(lambda session: count_all(session, counts))
                _, self._auth_revision = await store.auth.read(NOBODY, _anybody, _revision)
        except (TimeoutError, DatastoreError):
            return

    def _facts(self) -> Facts:
        edge, health = self._edge, self._health
        store, hub = edge.store, edge.store.hub
        return Facts(
            member_id=edge.member_id,
            leader=store.leadership.leader,
            leader_changes=store.leadership.changes,
            revision=hub.newest(),
            compact_revision=hub.compact_revision or -1,
            keys=self._keys,
            allocated=store.house.size.allocated,
            used=store.house.size.used,
            quota=store.limits.quota,
            pending_writes=store.writer.waiting,
            watchers=hub.watchers,
            slow_watchers=hub.slow_watchers,
            sent_events=hub.sent_events,
            pending_events=hub.pending_events(),
            expired_leases=store.lessor.expired,
            auth_revision=self._auth_revision,
            alarms=tuple((a.member_id % (1 << 64), alarm_name(a.alarm)) for a in self._alarms),
            writer=store.writer.counters,
            upkeep=store.upkeep.counters,
            is_defragmenting=store.upkeep.is_defragmenting,
            methods=edge.counts.totals(),
            health=(health.successes, health.failures),
            checks=dict(health.checks),
            process=look(),
        )

    def _text(self, facts: Facts, own: OwnFacts) -> bytes:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self._process)
        registry.register(_Collected(families(facts, extensive=self._extensive)))
        registry.register(_Collected(own_families(own)))
        text = generate_latest(registry)
        for name in NO_SUFFIX:
            text = text.replace(
                f"# TYPE {name} untyped".encode(), f"# TYPE {name} counter".encode()
            )
        return text


class _Collected:
    """A collector of families that are there already."""

    def __init__(self, made: Iterable[Metric]) -> None:
        self._made = made

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._made

    def describe(self) -> Iterable[Metric]:
        """Return nothing: their names are not checked ahead."""
        return ()


def _anybody(_: object) -> None:
    """Need nothing."""


def _revision(tables: AuthTables) -> int:
    return tables.state.revision
