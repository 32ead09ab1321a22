"""What evaluations may cost: upstream's limits, and the meter that one evaluation runs on.

One unit is about one step; a list costs what its elements do. A step whose branch is not taken is
charged all the same, so that a meter is read once for each element and not at each step.
"""

from __future__ import annotations

from typing import Final

from control_plane.api.cel.errors import CostExceeded

PER_CALL: Final = 1_000_000
PER_REQUEST: Final = 10_000_000
MATCH_CONDITIONS: Final = 2_500_000


class Budget:
    """What all evaluations that belong together may still cost."""

    __slots__ = ("remaining",)

    def __init__(self, limit: int = PER_REQUEST) -> None:
        """Start with `limit` units."""
        self.remaining = limit

    def charge(self, cost: int) -> None:
        """Take `cost` away; CostExceeded when that is more than there is."""
        self.remaining -= cost
        if self.remaining < 0:
            raise CostExceeded
