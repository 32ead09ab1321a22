"""What the rules of a custom resource's schema may cost at most: each, and all together.

Called by schema_rules.py. Source: v1.35 apiextensions validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.cel.estimation import estimate, plus, times
from control_plane.api.validation.field_errors import forbidden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.cel import Program
    from control_plane.api.cel.estimation import Bounds
    from control_plane.api.errors import FieldError

__all__ = ["TotalCost", "times"]

RULE_LIMIT: Final = 10_000_000
SCHEMA_LIMIT: Final = 100_000_000
_DEAR: Final = SCHEMA_LIMIT // 100
_NAMED: Final = 4
_REMEDY: Final = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, "
    "maps, and strings are declared)"
)
_CONTRIBUTED: Final = (
    "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
)
_ALL: Final = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"


class TotalCost:
    """Adds up what the expressions of a schema cost, and remembers the dearest."""

    def __init__(self) -> None:
        """Nothing costs anything yet."""
        self._total = 0
        self._dear: list[tuple[int, str]] = []

    def of_rule(
        self, program: Program | None, bounds: Bounds, cardinality: int | None, path: str
    ) -> Iterator[FieldError]:
        """Check what a rule costs, asked of all the values that there can be at its place.

        `cardinality` is None where only the size of a request limits them.
        """
        if program is None:
            return
        count = bounds.cardinality if cardinality is None else cardinality
        cost = times(estimate(program.checked, bounds), count)
        yield from self._observe("estimated rule cost", cost, path)

    def of_message(
        self, program: Program | None, bounds: Bounds, path: str
    ) -> Iterator[FieldError]:
        """Check what the expression of a message costs."""
        if program is not None:
            cost = estimate(program.checked, bounds)
            yield from self._observe("estimated messageExpression cost", cost, path)

    def errors(self, path: str) -> Iterator[FieldError]:
        """Check the sum; `path` is the schema's."""
        if self._total <= SCHEMA_LIMIT:
            return
        for _cost, dear in sorted(self._dear, key=lambda one: -one[0])[:_NAMED]:
            yield forbidden(dear, _CONTRIBUTED)
        yield forbidden(path, _exceeds(_ALL, self._total, SCHEMA_LIMIT))

    def _observe(self, what: str, cost: int, path: str) -> Iterator[FieldError]:
        self._total = plus(self._total, cost)
        if cost >= _DEAR:
            self._dear.append((cost, path))
        if cost > RULE_LIMIT:
            yield forbidden(path, _exceeds(what, cost, RULE_LIMIT))


def _exceeds(what: str, cost: int, limit: int) -> str:
    ratio = cost / limit
    factor = f"{ratio:.1f}x"
    if ratio > 100:
        factor = "more than 100x"
    elif ratio < 1.5:
        factor = f"{ratio:f}x"  # not "1.0x"
    return f"{what} exceeds budget by factor of {factor} {_REMEDY}"
