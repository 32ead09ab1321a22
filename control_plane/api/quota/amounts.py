"""Amounts that quotas count, and how they are written.

An amount is an integer of thousandths: quantities of resource lists are never finer. A sum is
written as its first operand that is not zero was: "1Gi" and "512Mi" give "1536Mi", "1G" gives "1G".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from control_plane.api import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

ONE: Final = 1000


@dataclass(frozen=True, slots=True)
class Usage:
    """What something uses: thousandths by resource, and which are written with binary suffixes."""

    amounts: Mapping[str, int] = field(default_factory=dict)
    binary: frozenset[str] = frozenset()

    def shown(self, name: str) -> str:
        """One amount as a quantity."""
        return shown(self.amounts[name], is_binary=name in self.binary)

    def plus(self, other: Usage) -> Usage:
        """Return both together; what this has an amount of is written as it is here."""
        if not self.amounts:
            return other
        amounts = dict(self.amounts)
        for name, amount in other.amounts.items():
            amounts[name] = amounts.get(name, 0) + amount
        if other.binary == self.binary:
            return Usage(amounts, self.binary)
        has = {name for name, amount in self.amounts.items() if amount}
        return Usage(amounts, (self.binary & has) | (other.binary - has))


NOTHING: Final = Usage()


def thousandths(amount: object) -> int:
    """Return a quantity in thousandths; what is no quantity counts as none."""
    try:
        return quantity.milli(str(amount))
    except ValueError:
        return 0


def is_binary(amount: object) -> bool:
    """Tell whether a quantity is written with a binary suffix."""
    return str(amount).endswith("i")


def shown(amount: int, *, is_binary: bool) -> str:
    """Return thousandths as a quantity."""
    return quantity.of_milli(amount, is_binary=is_binary)


def total(used: str, usage: Usage, name: str) -> str:
    """Return `used` and what `usage` says of a resource, together, as a quantity."""
    before = thousandths(used)
    written = is_binary(used) if before else name in usage.binary
    return shown(before + usage.amounts[name], is_binary=written)
