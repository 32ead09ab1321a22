"""Judges a store, live or at rest, by every invariant in `CHECKS`, from one read snapshot.

Called by `tapir check`, by restore and by the tests. Rows stream, and what has to be sorted is
sorted by the database on disk, so memory does not grow with the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from datastore.backends import without_password
from datastore.backends.migration import VERSION_TABLE, known_versions
from datastore.tools.checks import CHECKS
from datastore.tools.checks.bounds import UNKNOWN, NoBounds, read_bounds
from datastore.tools.checks.check import Finding
from datastore.tools.checks.revisions import RESTORE
from datastore.tools.read_only import CannotCheck, engine_of, snapshot
from datastore.tools.unreadable import SQLITE_UNREADABLE, in_one_line

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from sqlalchemy import Connection

    from datastore.tools.checks.bounds import Bounds
    from datastore.tools.checks.check import Check

ROWS_AT_ONCE = 5_000
UNREADABLE = (DBAPIError, *SQLITE_UNREADABLE)
EVERY = frozenset(check.name for check in CHECKS)


class Checker:
    """An open store to be judged, as often as wanted; each time from a snapshot of its own."""

    def __init__(self, endpoint: str) -> None:
        """Open it; ConfigError or CannotCheck when that cannot be."""
        self._name = without_password(endpoint)
        self._engine = engine_of(endpoint)
        self._connection: Connection | None = None

    def __enter__(self) -> Checker:
        self._connection = self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

    def findings(self, since: int = 0, only: Container[str] = EVERY) -> Iterator[Finding]:
        """Yield everything that is broken, or what the checks named in `only` find.

        With a revision, only events from it on are judged, and what must be looked at whole is
        left out: enough when the store was in order before that revision.
        """
        assert self._connection is not None, "a Checker is a context manager"
        with snapshot(self._connection):
            try:
                bounds = self._bounds(since)
            except NoBounds as error:
                yield Finding("meta", "meta", str(error), RESTORE)
                bounds = None
            for check in CHECKS:
                if check.name in only and self._is_asked(check, bounds):
                    yield from self._judged(check, bounds or UNKNOWN)

    def revision(self) -> int:
        """Return the store's revision."""
        assert self._connection is not None, "a Checker is a context manager"
        with snapshot(self._connection):
            try:
                return self._bounds(0).revision
            except NoBounds as error:
                raise CannotCheck(f"datastore {self._name}: {error}") from error

    def _is_asked(self, check: Check, bounds: Bounds | None) -> bool:
        """Say whether a check has its turn: without bounds, those that look at everything."""
        if check.only not in ("", self._engine.dialect.name):
            return False
        return check.whole if bounds is None else not (check.whole and bounds.first)

    def _judged(self, check: Check, bounds: Bounds) -> Iterator[Finding]:
        """Yield a check's findings; that its question cannot be answered is one."""
        assert self._connection is not None
        try:
            with self._connection.begin_nested():
                rows = self._connection.execute(
                    check.ask(bounds), execution_options={"yield_per": ROWS_AT_ONCE}
                )
                yield from check.findings(rows, bounds)
        except UNREADABLE as error:
            said = self._said(error)
            yield Finding(check.name, "database", f"could not be read: {said}", check.remedy)
        except (TypeError, ValueError, OverflowError) as error:  # SQLite keeps any type anywhere
            yield Finding(check.name, "database", f"could not be judged: {error}", check.remedy)

    def _bounds(self, since: int) -> Bounds:
        """Read the bounds; NoBounds also when the database cannot answer."""
        assert self._connection is not None
        try:
            with self._connection.begin_nested():
                return read_bounds(self._connection, since)
        except UNREADABLE as error:
            raise NoBounds(f"could not be read: {self._said(error)}") from error

    def _said(self, error: Exception) -> str:
        """Return what the database said; CannotCheck when it is gone."""
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise self._trouble(error) from error
        return in_one_line(error)

    def _open(self) -> Connection:
        try:
            connection = self._engine.connect()
        except UNREADABLE as error:
            raise self._trouble(error) from error
        try:
            with snapshot(connection):
                self._check_version(connection)
        except UNREADABLE as error:
            connection.close()
            raise self._trouble(error) from error
        except CannotCheck:
            connection.close()
            raise
        return connection

    def _check_version(self, connection: Connection) -> None:
        if not inspect(connection).has_table(VERSION_TABLE):
            raise CannotCheck(f"datastore {self._name} is not a store: name one")
        found = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
        newest = known_versions()[-1]
        if found != newest:
            raise CannotCheck(
                f"datastore {self._name} has schema {found}, this program checks {newest}: use the "
                "version that wrote it, or start the server once to migrate it"
            )

    def _trouble(self, error: Exception) -> CannotCheck:
        return CannotCheck(
            f"datastore {self._name}: {in_one_line(error)}: check the URL and the database"
        )


def check(endpoint: str) -> Iterator[Finding]:
    """Yield every finding of a store; CannotCheck or ConfigError when it cannot be read."""
    with Checker(endpoint) as checker:
        yield from checker.findings()
