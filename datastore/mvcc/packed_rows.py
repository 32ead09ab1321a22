"""Rows of a page as the database has joined them: columns, made into rows when somebody looks.

A page of 500 rows is most often encoded and forgotten. Its columns are all that the encoding needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, overload

from datastore.mvcc.model import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROW = partial(tuple.__new__, Row)  # `_make` is half as fast
_COLUMNS = 6  # of rows, which begin with them
_NO_LINKS = (repeat(0), repeat(0))  # deleted, prev_id


class PackedRows(Sequence[Row]):
    """Live rows whose links to the events before them are not known.

    `columns` are ids, keys, values, create revisions, versions and leases, each a list of all rows.
    Values may be views of a larger whole; a row has bytes of its own.
    """

    __slots__ = ("columns",)

    def __init__(self, columns: Sequence[list[Any]]) -> None:
        self.columns = columns

    @classmethod
    def of(cls, rows: Sequence[Row]) -> PackedRows:
        """Return rows, of which there may be none, without their links."""
        return cls([[row[column] for row in rows] for column in range(_COLUMNS)])

    def extend(self, more: PackedRows) -> None:
        """Add rows; they keep what their values are views of."""
        for column, others in zip(self.columns, more.columns, strict=True):
            column.extend(others)

    def __len__(self) -> int:
        return len(self.columns[0])

    @overload
    def __getitem__(self, at: int) -> Row: ...

    @overload
    def __getitem__(self, at: slice) -> PackedRows: ...

    def __getitem__(self, at: int | slice) -> Row | PackedRows:
        if isinstance(at, slice):
            return PackedRows([column[at] for column in self.columns])
        number, key, value, created, version, lease = (column[at] for column in self.columns)
        return Row(number, key, bytes(value), created, version, lease, 0, 0)

    def __iter__(self) -> Iterator[Row]:
        ids, keys, values, *others = self.columns
        return map(_ROW, zip(ids, keys, map(bytes, values), *others, *_NO_LINKS, strict=False))

    def tuples(self) -> Iterator[tuple[int, bytes, bytes | memoryview, int, int, int, int, int]]:
        """Yield what rows consist of."""
        return zip(*self.columns, *_NO_LINKS, strict=False)
