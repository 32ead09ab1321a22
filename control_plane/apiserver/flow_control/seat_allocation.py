"""How the server's seats are shared among priority levels. Pure.

Each level has a nominal share. A part of it may be lent, and it may borrow; every few seconds the
seats are shared anew, in proportion to what the levels want, within those bounds. Source: API
priority and fairness, v1.35.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

LEAST_TARGET = 0.001


class SeatBounds(NamedTuple):
    """A level's seats: its share, and the least and the most that lending and borrowing leave."""

    nominal: int
    least: int
    most: int


class Claim(NamedTuple):
    """What a level wants, and between which bounds; 0 <= least <= target, least <= most."""

    target: float
    least: float
    most: float


def seat_bounds(
    total: int, shares: int, all_shares: int, lendable: int, borrowing: int | None
) -> SeatBounds:
    """A level's bounds from its configuration; percentages are of its nominal share.

    Without a limit to borrowing a level may borrow as much as the server has.
    """
    nominal = math.ceil(total * shares / all_shares)
    lent = _rounded(nominal * lendable / 100)
    borrowed = total if borrowing is None else _rounded(nominal * borrowing / 100)
    return SeatBounds(nominal, nominal - lent, nominal + borrowed)


def claim_of(bounds: SeatBounds, peak: int, smoothed: float) -> Claim:
    """A level's claim from its demand: what it used of its own share is not lent."""
    least = max(bounds.least, min(bounds.nominal, peak))
    return Claim(max(least, smoothed), least, bounds.most)


def share_out(total: int, claims: Sequence[Claim]) -> list[int]:
    """The seats of each claim, in order; together `total` but for rounding.

    Each gets the same proportion of its target, or the bound that this would pass. The bounds must
    leave room for the total.
    """
    targets = [max(claim.target, LEAST_TARGET) for claim in claims]

    def given(proportion: float) -> list[float]:
        return [
            max(claim.least, min(claim.most, proportion * target))
            for claim, target in zip(claims, targets, strict=True)
        ]

    turns = sorted(
        {0.0}
        | {claim.least / target for claim, target in zip(claims, targets, strict=True)}
        | {claim.most / target for claim, target in zip(claims, targets, strict=True)}
    )
    for low, high in itertools.pairwise(turns):
        below, above = sum(given(low)), sum(given(high))
        if above >= total > below:
            # between two turns the sum is a straight line
            return _whole(given(low + (high - low) * (total - below) / (above - below)))
    return _whole(given(turns[0] if sum(given(turns[0])) >= total else turns[-1]))


def widest(bounds: SeatBounds, hand_size: int) -> int:
    """The most seats that one request may take of a level with queues: 15 % of its share."""
    return max(1, min(math.ceil(bounds.nominal * 0.15), bounds.nominal // hand_size))


def _whole(seats: Sequence[float]) -> list[int]:
    return [_rounded(number) for number in seats]


def _rounded(number: float) -> int:
    """Halves are rounded up, which Python's round does not."""
    return math.floor(number + 0.5)
