"""What plain words of YAML are: null, a boolean, a number, or the text itself. Pure.

    yes, on, y       true            08, 1e3      8, 1000
    0777, 0o777      511             12:30        text: no sexagesimal numbers
    0x1f, 1_000      31, 1000        2026-01-02   text

Called by yaml_syntax.py. Source: go-yaml v2, with which Kubernetes reads YAML.
"""

from __future__ import annotations

import re
from typing import Final

from control_plane.api.json_syntax import number_of

TRUE: Final = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
FALSE: Final = frozenset(
    {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}
)
NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
MERGE: Final = "<<"
NOT_FINITE: Final = frozenset(
    {".nan", ".NaN", ".NAN"}
    | {f"{sign}{word}" for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")}
)
_INTEGER: Final = re.compile(
    r"(?P<sign>[-+]?)"
    r"(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+)|(?P<d>0|[1-9]\d*))",
    re.ASCII,
)
_BASES: Final = {"x": 16, "b": 2, "o": 8, "d": 10}
_FLOAT: Final = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?", re.ASCII)
_WHOLE_BELOW: Final = 1e21  # from there on Go writes floats with an exponent


def plain_number(text: str) -> int | float | str:
    """Return the number that a plain word is, or the word; infinity for what floats do not reach.

    Raises ValueError for thousands of digits.
    """
    plain = text if text.startswith(".") else text.replace("_", "")
    integer = _INTEGER.fullmatch(plain)
    if integer is not None:
        kind = str(integer.lastgroup)
        return number_of(str(int(integer["sign"] + integer[kind], _BASES[kind])))
    if _FLOAT.fullmatch(plain) is None:
        return text
    value = float(plain)
    return int(value) if value.is_integer() and abs(value) < _WHOLE_BELOW else value
