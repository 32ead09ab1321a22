"""Integers in texts: labels, percentages, bounds of comparisons. Pure."""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = re.compile("[+-]?[0-9]{1,64}", re.ASCII)
_INT64: Final = range(-(2**63), 2**63)


def int64(text: str) -> int | None:
    """Return the number a text stands for, None when it is none or beyond 64 bits.

    As strconv.ParseInt reads it and unlike `int`: no spaces, underscores or other scripts' digits.
    """
    if _DIGITS.fullmatch(text) is None:
        return None
    number = int(text)
    return number if number in _INT64 else None
