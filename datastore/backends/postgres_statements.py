"""PostgreSQL's spelling of the statements: binary parameters, lists and bulk inserts as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Table, bindparam, literal_column, select
from sqlalchemy import any_ as any_of
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import psycopg as dialect

from datastore.backends import schema
from datastore.backends.pulse import CLOCKS
from datastore.backends.statements import Prepared, Statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement


LONGEST_KEY = 2_600  # bytes; a b-tree entry is at most a third of a page


class ArrayLists:
    """Lists as one array parameter."""

    def chunks(self, values: Sequence[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield all values at once, or nothing if there are none."""
        if values:
            yield 0, {"values": list(values)}

    def among(self, column: ColumnElement[Any], size: int) -> ColumnElement[bool]:
        """Return `column = ANY (array)`."""
        del size
        return column == any_of(bindparam("values", type_=ARRAY(column.type)))


def _binary(prepared: Prepared) -> Prepared:
    """Send every parameter in binary: bytes as they are, not twice as long in text."""
    return prepared._replace(sql=prepared.sql.replace("%s", "%b"))


class PostgresStatements(Statements):
    """The statements in psycopg's spelling, and bulk inserts from one array a column."""

    def __init__(self) -> None:
        now: Any = literal_column(CLOCKS["postgresql"], type_=BigInteger)
        spelling = dialect.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
        super().__init__(spelling, ArrayLists(), now)
        self.lock_meta = self.prepare(select(schema.meta.c.id).with_for_update())
        self.inserts = {
            (table.name, replace): self._insert(table, replace=replace)
            for table in schema.metadata.sorted_tables
            for replace in (False, True)
        }

    def prepare(self, statement: Any) -> Prepared:
        """Compile a statement."""
        return _binary(super().prepare(statement))

    def _insert(self, table: Table, *, replace: bool) -> str:
        names = [column.name for column in table.c]
        types = [column.type.compile(self._dialect) for column in table.c]
        arrays = ", ".join(f"%b::{kind}[]" for kind in types)
        sql = f'INSERT INTO "{table.name}" ({", ".join(names)}) SELECT * FROM unnest({arrays})'
        if replace:
            keys = [column.name for column in table.primary_key]
            others = [f"{name} = excluded.{name}" for name in names if name not in keys]
            action = f"UPDATE SET {', '.join(others)}" if others else "NOTHING"
            sql += f" ON CONFLICT ({', '.join(keys)}) DO {action}"
        return sql
