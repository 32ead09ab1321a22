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


class PackedRows(Sequence[Row]):
    """Live rows whose links to the events before them are not known.

    `columns` are ids, keys, values, create revisions, versions and leases, each a list of all rows.
    """

    __slots__ = ("columns",)

    def __init__(self, columns: Sequence[list[Any]]) -> None:
        self.columns = columns

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
        return Row(number, key, value, created, version, lease, 0, 0)

    def __iter__(self) -> Iterator[Row]:
        return map(_ROW, self.tuples())

    def tuples(self) -> Iterator[tuple[int, bytes, bytes, int, int, int, int, int]]:
        """Yield what rows consist of."""
        return zip(*self.columns, repeat(0), repeat(0), strict=False)
