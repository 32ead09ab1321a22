"""The body of a long list: parts that lie in memory already, put together piece by piece.

A list of 5,000 pods is 20 MB. Joined at once these are fresh memory, which the kernel clears page
by page and takes back at the end: half of the time that such a list took. A piece fits into a
processor's cache, and its memory is that of the piece before it (`memory.py`).
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

PIECE_BYTES = 512 * 1024


class PartedBody:
    """`parts`, at least one, with `separator` between them; len() and bytes() are the whole's."""

    __slots__ = ("_ends", "_parts", "_separator")

    def __init__(self, parts: Sequence[bytes], separator: bytes = b"") -> None:
        """Add up lengths; join nothing."""
        self._parts = parts
        self._separator = separator
        self._ends = list(accumulate(map(len, parts)))

    def __len__(self) -> int:
        """Its bytes."""
        return self._ends[-1] + len(self._separator) * (len(self._parts) - 1)

    def __bytes__(self) -> bytes:
        """The whole body."""
        return self._separator.join(self._parts)

    def pieces(self) -> Iterator[bytes]:
        """Yield it in pieces of whole parts: of about PIECE_BYTES, at most a part more."""
        parts, ends = self._parts, self._ends
        start = done = 0
        while start < len(parts):
            end = bisect_left(ends, done + PIECE_BYTES, start) + 1
            piece = parts[start:end]
            if end < len(parts):
                piece = [*piece, b""]  # which puts a separator behind the last
            yield self._separator.join(piece)
            start, done = end, ends[min(end, len(ends)) - 1]


Body = bytes | PartedBody
