"""quantity('1.5Gi'): amounts as resources have them. Source: the quantity library of Kubernetes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from control_plane.api import quantity
from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.functions import function, member
from control_plane.api.cel.types import BOOL, DOUBLE, INT, STRING, opaque
from control_plane.api.cel.values import MAX_INT, MIN_INT, register

QUANTITY: Final = opaque("kubernetes.Quantity")


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount."""

    amount: Decimal


register(Quantity, QUANTITY.name)


def _parse(text: str) -> Quantity:
    try:
        return Quantity(quantity.parse(text))
    except ValueError as error:
        raise EvaluationError(str(error)) from None


def _is_quantity(text: str) -> bool:
    try:
        quantity.parse(text)
    except ValueError:
        return False
    return True


def _compare(one: Quantity, other: Quantity) -> int:
    return (one.amount > other.amount) - (one.amount < other.amount)


def _sign(one: Quantity) -> int:
    return (one.amount > 0) - (one.amount < 0)


def _is_integer(one: Quantity) -> bool:
    return one.amount == int(one.amount) and MIN_INT <= one.amount <= MAX_INT


def _as_integer(one: Quantity) -> int:
    if _is_integer(one):
        return int(one.amount)
    raise EvaluationError("cannot convert value to integer")


def _add(one: Quantity, other: Quantity) -> Quantity:
    return Quantity(one.amount + other.amount)


def _subtract(one: Quantity, other: Quantity) -> Quantity:
    return Quantity(one.amount - other.amount)


LIBRARY: Final = (
    function("quantity", (STRING,), QUANTITY, _parse),
    function("isQuantity", (STRING,), BOOL, _is_quantity),
    function("sign", (QUANTITY,), INT, _sign),
    member("isGreaterThan", (QUANTITY, QUANTITY), BOOL, lambda one, two: one.amount > two.amount),
    member("isLessThan", (QUANTITY, QUANTITY), BOOL, lambda one, two: one.amount < two.amount),
    member("compareTo", (QUANTITY, QUANTITY), INT, _compare),
    member("asApproximateFloat", (QUANTITY,), DOUBLE, lambda one: float(one.amount)),
    member("asInteger", (QUANTITY,), INT, _as_integer),
    member("isInteger", (QUANTITY,), BOOL, _is_integer),
    member("add", (QUANTITY, QUANTITY), QUANTITY, _add),
    member("add", (QUANTITY, INT), QUANTITY, lambda one, two: _add(one, Quantity(Decimal(two)))),
    member("sub", (QUANTITY, QUANTITY), QUANTITY, _subtract),
    member(
        "sub", (QUANTITY, INT), QUANTITY, lambda one, two: _subtract(one, Quantity(Decimal(two)))
    ),
)
