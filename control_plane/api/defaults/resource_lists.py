"""Quantities in resource lists: canonical, and never finer than a thousandth.

Upstream rounds every quantity of a ResourceList up to milli units when it defaults one. Called by
the other files of this package. A quantity that does not parse is left for validation to refuse.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any, Final

from control_plane.api import quantity

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_MILLI: Final = Decimal("0.001")


def round_up(owner: Object, *fields: str) -> None:
    """Round the resource lists at `fields` of `owner`; absent ones stay absent."""
    for field in fields:
        amounts = owner.get(field)
        if isinstance(amounts, dict):
            owner[field] = {name: rounded(amount) for name, amount in amounts.items()}


def rounded(amount: Any) -> Any:
    """Return one quantity in canonical form, rounded up to 1m when it is finer."""
    text = str(amount)
    try:
        value = quantity.parse(text)
        if value % _MILLI == 0:
            return quantity.canonical(text)
        return quantity.canonical(f"{int((value / _MILLI).to_integral_value(ROUND_CEILING))}m")
    except (ValueError, ArithmeticError):
        return amount
