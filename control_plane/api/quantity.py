"""Resource quantities: "500m", "1Gi", "1e3" read, compared and written canonically.

Called by defaulting, validation, the scheduler and the node. Pure. Amounts are exact decimals; the
suffix decides the format in which one is written: binary (Ki), decimal (k) or exponent (e3).
Source: the quantity type of the API machinery, v1.35.
"""

from __future__ import annotations

import decimal
import functools
import re
from decimal import Decimal
from typing import Final, NamedTuple

SYNTAX_MESSAGE: Final = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
SUFFIX_MESSAGE: Final = "unable to parse quantity's suffix"

_SYNTAX: Final = re.compile(
    r"([+-]?)([0-9]*)(?:\.([0-9]*))?((?:[eEinumkKMGTP]*)[-+]?[0-9]*)", re.ASCII
)
_DECIMAL: Final = {
    "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
}  # fmt: skip
_DECIMAL_SUFFIX: Final = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_BINARY_SUFFIX: Final = {0: "", **{power: suffix for suffix, power in _BINARY.items()}}
_EXPONENT: Final = re.compile(r"[eE]([+-]?[0-9]+)", re.ASCII)
# Longer texts and larger exponents have no use and would make numbers of that many digits.
_MAX_EXPONENT: Final = 1000
# Numbers of more digits than an int64 surely holds are always rewritten.
_INT64_DIGITS: Final = 18
_LARGEST_BINARY: Final = Decimal(2**63 - 1)
_NANO: Final = Decimal(1).scaleb(-9)
# what a plain number with a suffix has of thousandths; larger amounts may have to be capped
_MILLI: Final[dict[str, int]] = {
    **{suffix: 10 ** (exponent + 3) for suffix, exponent in _DECIMAL.items() if exponent >= -3},
    **{suffix: 1000 * 1024**power for suffix, power in _BINARY.items()},
}
_SUFFIX_LETTERS: Final = "mkMGTPEKi"
_SURELY_MILLI: Final = 10**21
_EXACT: Final = decimal.Context(
    prec=5000, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, rounding=decimal.ROUND_UP
)


class _Parsed(NamedTuple):
    amount: Decimal
    canonical: str


def parse(text: str) -> Decimal:
    """Return the amount; ValueError with upstream's text when `text` is not a quantity.

    Amounts finer than a nano are rounded away from zero.
    """
    return _parse(text).amount


def canonical(text: str) -> str:
    """Return the quantity as the API server writes it: "0.5" as "500m", "1024Mi" as "1Gi".

    No fraction, the largest suffix that leaves an integer, the format of the input; binary amounts
    that are fractional or below 1024 become decimal. A text that already has that number and
    exponent is kept as it is ("+3", "1E6", "012"). ValueError as `parse`.
    """
    return _parse(text).canonical


def format_decimal(amount: Decimal) -> str:
    """Return an amount in decimal form: Decimal("0.25") as "250m"."""
    return _text(_rounded(amount), "decimal")


def format_binary(amount: Decimal) -> str:
    """Return an amount in binary form where that loses nothing: Decimal(2048) as "2Ki"."""
    return _text(_rounded(amount), "binary")


def value(text: str) -> int:
    """Return the amount as an integer, fractions rounded away from zero. ValueError as `parse`."""
    return _integer(parse(text))


@functools.lru_cache(maxsize=8192)
def milli(text: str) -> int:
    """Return the amount in thousandths, rounded away from zero: CPU millicores.

    ValueError as `parse`.
    """
    digits = text.rstrip(_SUFFIX_LETTERS)
    factor = _MILLI.get(text[len(digits) :])
    if factor is not None and digits.isascii() and digits.isdecimal() and len(digits) <= 18:
        amount = int(digits) * factor
        if amount < _SURELY_MILLI:
            return amount
    return _integer(parse(text).scaleb(3, _EXACT))


def of_milli(amount: int, *, is_binary: bool) -> str:
    """Return thousandths as a quantity: 1500 as "1500m", 2048000 as "2Ki" when it `is_binary`."""
    if is_binary and not amount % 1000 and abs(amount) >= 1024_000:
        return _binary_text(amount // 1000)
    exponent = -3
    while amount and not amount % 1000 and exponent < 18:
        amount //= 1000
        exponent += 3
    return f"{amount}{_DECIMAL_SUFFIX[exponent]}" if amount else "0"


def _integer(amount: Decimal) -> int:
    return int(amount.to_integral_value(decimal.ROUND_UP, _EXACT))


def _rounded(amount: Decimal) -> Decimal:
    if amount == amount.to_integral_value(context=_EXACT):
        return amount
    return amount.quantize(_NANO, decimal.ROUND_UP, _EXACT)


@functools.lru_cache(maxsize=8192)
def _parse(text: str) -> _Parsed:
    match = _SYNTAX.fullmatch(text)
    if match is None or not 0 < len(text) <= _MAX_EXPONENT:
        raise ValueError(SYNTAX_MESSAGE)
    sign, integer, fraction, suffix = match.groups(default="")
    number = Decimal(f"{sign}{integer or '0'}.{fraction or '0'}", _EXACT)
    if suffix in _BINARY:
        amount, shown = _binary(number, _BINARY[suffix])
        is_kept = not fraction and _is_plain_binary(integer, _BINARY[suffix], shown)
    else:
        is_decimal = suffix in _DECIMAL
        exponent = _DECIMAL[suffix] if is_decimal else _exponent(suffix)
        amount = _rounded(number.scaleb(exponent, _EXACT))
        shown = _text(amount, "decimal" if is_decimal else "exponent")
        is_kept = _is_plain_decimal(integer, fraction, exponent)
    return _Parsed(amount, text if is_kept and amount else shown)


def _exponent(suffix: str) -> int:
    match = _EXPONENT.fullmatch(suffix)
    if match is None or len(match[1]) > 6 or abs(int(match[1])) > _MAX_EXPONENT:
        raise ValueError(SUFFIX_MESSAGE)
    return int(match[1])


def _binary(number: Decimal, power: int) -> tuple[Decimal, str]:
    """Scale, round and cap; an amount below one is shown in decimal form, so nothing is lost."""
    scaled = _rounded(_EXACT.multiply(number, Decimal(1024**power)))
    amount = min(scaled, _LARGEST_BINARY)
    return amount, _text(amount, "decimal" if 0 < amount < 1 else "binary")


def _is_plain_binary(integer: str, power: int, shown: str) -> bool:
    """Tell whether the number as written has the canonical suffix, and is small enough to keep."""
    digits = integer.lstrip("0")
    return len(digits) + 3 * power < 15 and shown.lstrip("-") == f"{digits}{_BINARY_SUFFIX[power]}"


def _is_plain_decimal(integer: str, fraction: str, exponent: int) -> bool:
    """Tell whether the digits as written are the canonical number, at the canonical exponent."""
    whole = integer.lstrip("0")
    digits, scale = whole + fraction, exponent - len(fraction)
    if not whole or len(digits) > _INT64_DIGITS or scale < -9:
        return False
    return _shortest(Decimal(digits).scaleb(scale, _EXACT)) == (int(digits), scale)


def _text(amount: Decimal, form: str) -> str:
    if not amount:
        return "0"
    is_whole = amount == amount.to_integral_value(context=_EXACT)
    if form == "binary" and is_whole and abs(amount) >= 1024:
        return _binary_text(int(amount))
    number, exponent = _shortest(amount)
    if form == "exponent":
        return f"{number}e{exponent}" if exponent else str(number)
    return _decimal_text(number, exponent)


def _binary_text(amount: int) -> str:
    power = 0
    while amount % 1024 == 0 and power < max(_BINARY_SUFFIX):
        amount //= 1024
        power += 1
    return f"{amount}{_BINARY_SUFFIX[power]}"


def _decimal_text(number: int, exponent: int) -> str:
    largest = max(_DECIMAL_SUFFIX)
    if exponent > largest:
        number *= 10 ** (exponent - largest)
        exponent = largest
    return f"{number}{_DECIMAL_SUFFIX[exponent]}"


def _shortest(amount: Decimal) -> tuple[int, int]:
    """Return (integer, exponent) equal to the amount, exponent the largest multiple of 3."""
    sign, digits, exponent = amount.normalize(_EXACT).as_tuple()
    assert isinstance(exponent, int)
    number = int("".join(map(str, digits))) * (-1 if sign else 1)
    surplus = exponent % 3
    return number * 10**surplus, exponent - surplus
