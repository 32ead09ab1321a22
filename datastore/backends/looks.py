"""Point reads: the store's state and the live rows of some keys, in one statement.

A statement outside a transaction is a snapshot by itself, on every database. With BEGIN, the state,
the rows and ROLLBACK a read of one key had four statements, which cost two to three times as much:
SQLite's driver gives the interpreter's lock away at every step, and a thread waits for it again
beside a busy event loop; the others' drivers work longer at each than the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from datastore.backends.schema import history, kv, meta
from datastore.mvcc.model import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from datastore.backends.statements import Prepared, Statements

STATE = 7  # columns of the state, which stand before those of a row


class LookStatements:
    """The statements of looks, by the length of the list of keys.

    They return the state once beside each live row; beside NULLs where no key is live. The chain of
    outer joins is deliberate: SQLite would compute a nested join whole.
    """

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.look: Callable[[int], Prepared] = statements.named("look", self._look)

    def of(self, keys: Collection[bytes]) -> tuple[str, tuple[Any, ...]] | None:
        """Return the statement for some keys and its parameters; None for more than a list."""
        lists = list(self._statements.lists.chunks(tuple(keys)))
        if len(lists) != 1:
            return None
        ((size, values),) = lists
        look = self.look(size)
        return look.sql, look.bind(values)

    def _look(self, size: int) -> Prepared:
        among = and_(self._statements.lists.among(kv.c.key, size), kv.c.deleted == 0)
        found = meta.outerjoin(kv, among).outerjoin(history, history.c.id == kv.c.id)
        columns = (*self._statements.state_columns, *history.c)
        return self._statements.prepare(select(*columns).select_from(found))


def live_rows(found: Sequence[Sequence[Any]]) -> dict[bytes, Row]:
    """Return the rows that a look has found, by key."""
    rows = [Row._make(row[STATE:]) for row in found if row[STATE] is not None]
    return {row.key: row for row in rows}
