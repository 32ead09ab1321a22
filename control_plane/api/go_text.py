"""Values printed the way the API's error texts print them: Go's %v and its names of JSON kinds.

Called by the patch and field-validation code, whose messages quote client input; the quoted and
JSON forms are in go_syntax.py. Pure.
"""

from __future__ import annotations

from typing import Any


def go_kind(value: Any) -> str:
    """Return the word Go's JSON decoder uses for a value of this kind."""
    if isinstance(value, bool):
        return "bool"
    words = {dict: "object", list: "array", str: "string", int: "number", float: "number"}
    return next((word for kind, word in words.items() if isinstance(value, kind)), "null")


def go_value(value: Any) -> str:
    """Return a JSON value as %v prints it: map[a:1 b:[x y]], keys sorted, strings bare."""
    if isinstance(value, dict):
        inside = " ".join(f"{key}:{go_value(value[key])}" for key in sorted(value))
        return f"map[{inside}]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_value, value)) + "]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
