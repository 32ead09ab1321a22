"""Regular expressions as upstream's engine reads them: what it does not take at all.

Brackets that do not match and groups it does not know are told in its words; what is wrong in finer
ways (a repetition of a repetition) is not noticed. Called by structural_schemas.py. Source: the
messages of Go's regexp/syntax.
"""

from __future__ import annotations

from typing import Final

_UNKNOWN_GROUPS: Final = ("(?=", "(?!", "(?>", "(?#")
_LOOKBEHIND: Final = ("(?<=", "(?<!")


def pattern_trouble(pattern: str) -> str:
    """Say why a pattern cannot be read, "" when nothing is known against it."""
    depth, position = 0, 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            if position + 1 == len(pattern):
                return "trailing backslash at end of expression: ``"
            position += 1
        elif character == "[":
            end = _end_of_class(pattern, position)
            if end < 0:
                return f"missing closing ]: `{pattern[position:]}`"
            position = end
        elif character == "(":
            trouble = _group_trouble(pattern, position)
            if trouble:
                return trouble
            depth += 1
        elif character == ")":
            depth -= 1
            if depth < 0:
                return f"unexpected ): `{pattern}`"
        position += 1
    return f"missing closing ): `{pattern}`" if depth else ""


def _group_trouble(pattern: str, position: int) -> str:
    if pattern.startswith(_LOOKBEHIND, position):
        return f"invalid named capture: `{pattern[position:]}`"
    if pattern.startswith(_UNKNOWN_GROUPS, position):
        return f"invalid or unsupported Perl syntax: `{pattern[position : position + 3]}`"
    return ""


def _end_of_class(pattern: str, start: int) -> int:
    """Return where the class that begins at `start` ends, -1 when it does not."""
    position = start + 1
    if pattern.startswith("^", position):
        position += 1
    if pattern.startswith("]", position):
        position += 1
    while position < len(pattern) and pattern[position] != "]":
        if pattern[position] == "\\":
            position += 1
        elif pattern.startswith("[:", position) and ":]" in pattern[position:]:
            position = pattern.index(":]", position) + 1
        position += 1
    return position if position < len(pattern) else -1
