"""What sources in a SQL database share: one read-only transaction, for as long as they are open."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy.exc import DBAPIError

from datastore.backends import without_password
from datastore.tools.moving.record import BATCH_ROWS, CannotMove
from datastore.tools.read_only import engine_of, snapshot
from datastore.tools.unreadable import SQLITE_UNREADABLE, in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Executable


class SqlSource:
    """A database that is read; see `Source`."""

    identity = ""
    auth_on = False

    def __init__(self, endpoint: str) -> None:
        """Name it; ConfigError when the URL cannot be one."""
        self.name = without_password(endpoint)
        self._engine = engine_of(endpoint)
        self._open = ExitStack()
        self._connection: Connection

    def __enter__(self) -> Self:
        """Connect, and begin the transaction."""
        with ExitStack() as opened, self._named():
            opened.callback(self._engine.dispose)
            self._connection = opened.enter_context(self._engine.connect())
            opened.enter_context(snapshot(self._connection))
            self.look()
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End the transaction."""
        self._open.close()

    def look(self) -> None:
        """Learn what the source is, at once after the transaction has begun."""

    def one(self, statement: Executable, **values: Any) -> Any:
        """Return the first column of a statement's only row."""
        with self._named():
            return self._connection.scalar(statement, values)

    def stream(self, statement: Executable, **values: Any) -> Iterator[Sequence[Any]]:
        """Yield a statement's rows, of which few are in memory."""
        with self._named():
            yield from self._connection.execute(
                statement, values, execution_options={"yield_per": BATCH_ROWS}
            )

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, *SQLITE_UNREADABLE) as error:
            raise CannotMove(f"{self.name}: {in_one_line(error)}: check the source") from error
