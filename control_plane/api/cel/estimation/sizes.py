"""Sizes between a least and a most, and costs; numbers stop at the largest of 64 bits."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

MOST: Final = 2**64 - 1


def plus(one: int, other: int) -> int:
    """Add costs."""
    return min(one + other, MOST)


def times(one: int, other: int) -> int:
    """Multiply costs."""
    return min(one * other, MOST)


def scaled(number: int, factor: float) -> int:
    """Multiply by a factor, rounding up."""
    if number > 0 and factor > 0 and number > MOST / factor:
        return MOST
    return min(math.ceil(float(number) * factor), MOST)


class Size(NamedTuple):
    """How many characters, bytes, elements or entries a value has."""

    least: int
    most: int

    def plus(self, other: Size) -> Size:
        """Return the size of both together."""
        return Size(plus(self.least, other.least), plus(self.most, other.most))

    def times(self, other: Size) -> Size:
        """Return the product."""
        return Size(times(self.least, other.least), times(self.most, other.most))

    def joined(self, other: Size) -> Size:
        """Return the size of what may have either."""
        return Size(min(self.least, other.least), max(self.most, other.most))


UNKNOWN: Final = Size(0, MOST)
ONE: Final = Size(1, 1)
NOTHING: Final = Size(0, 0)


def joined(one: Size | None, other: Size | None) -> Size | None:
    """Join sizes of which either may be missing."""
    if one is None or other is None:
        return one or other
    return one.joined(other)
