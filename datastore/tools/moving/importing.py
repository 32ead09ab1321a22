"""An import: copy, compare, open. What was interrupted goes on where it stopped."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from datastore.tools.moving.comparison import Difference, differences
from datastore.tools.moving.record import CannotMove, SourceCompacted
from datastore.tools.moving.target import Begun, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datastore.mvcc.auth.model import AuthTables
    from datastore.tools.moving.progress import Progress
    from datastore.tools.moving.record import Record, Source

LOST_LEASE_SECONDS = 1  # of a lease that ended while its keys were read: they end too


class Imported(NamedTuple):
    """What an import has done; differences say that the target must not be used."""

    revision: int
    keys: int
    leases: int
    before: int  # keys of them that an earlier run had copied
    differences: list[Difference]


class Import:
    """One import of an open source into an open target."""

    def __init__(self, source: Source, target: Target, progress: Progress) -> None:
        self._source = source
        self._target = target
        self._progress = progress

    def run(self, users: AuthTables | None, shown: int) -> Imported:
        """Copy and compare; at most `shown` differences are returned.

        When there is none, it is for the caller to finish the target.

        CannotMove when a side cannot be used, or the source gives the revision up meanwhile.
        """
        begun, total = self._begin(self._target.begun(self._source.identity))
        if users is not None:
            self._target.put_users(users)
        try:
            before = self._copy(begun, total)
            found = self._compare(total, shown)
        except SourceCompacted as error:
            raise CannotMove(
                f"{self._source.name} has compacted revision {begun.revision} before all of it was "
                "read: stop its clients, or import a snapshot of it"
            ) from error
        finally:
            self._progress.end()
        return Imported(begun.revision, total, len(self._target.leases()), before, found)

    def _begin(self, begun: Begun) -> tuple[Begun, int]:
        """Return where to go on, anew if the source has given up the revision begun with."""
        if begun.revision:
            with suppress(SourceCompacted):
                return begun, self._source.pin(begun.revision)
        revision = self._source.newest()
        total = self._source.pin(revision)
        self._target.begin(self._source.identity, revision)
        return Begun(revision), total

    def _copy(self, begun: Begun, total: int) -> int:
        """Copy the keys that are not there yet; return how many were."""
        granted = self._source.leases()
        self._target.put_leases(granted)
        before = self._target.count()
        self._progress.begin("copying", total, before)
        for batch in self._source.records(begun.after):
            lost = {record.lease for record in batch} - granted.keys() - {0}
            self._target.put_leases(dict.fromkeys(lost, LOST_LEASE_SECONDS))
            self._target.put(batch)
            self._progress.advance(len(batch))
        return before

    def _compare(self, total: int, shown: int) -> list[Difference]:
        """Return the first differences between both sides."""
        self._progress.begin("comparing", total)
        return list(islice(differences(self._read(), self._target.records()), shown))

    def _read(self) -> Iterator[Record]:
        for batch in self._source.records(b""):
            yield from batch
            self._progress.advance(len(batch))


def import_store(
    source: Source, endpoint: str, progress: Progress, *, without_users: bool, shown: int
) -> Imported:
    """Import a source into the store of an endpoint URL."""
    target = Target(endpoint)
    with ExitStack() as opened:
        with source:
            users = None if without_users else users_of(source)
            opened.enter_context(target)
            done = Import(source, target, progress).run(users, shown)
        # A source at rest that has been changed meanwhile says so when it is closed.
        if not done.differences:
            target.finish(source.identity)
    return done


def users_of(source: Source) -> AuthTables | None:
    """Return a source's users; CannotMove if it has some and does not give them away."""
    users = source.users()
    if users is None and source.auth_on:
        raise CannotMove(
            f"{source.name} has users, which cannot be read from it: --without-users takes the "
            "keys alone, and lets everybody in until users are made"
        )
    return users
