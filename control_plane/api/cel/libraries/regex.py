"""find and findAll: what a regular expression matches.

Source: the regex library of Kubernetes.
"""

from __future__ import annotations

from typing import Final

from control_plane.api.cel.functions import Function, Overload, member
from control_plane.api.cel.libraries.standard import matches_cost
from control_plane.api.cel.patterns import compiled
from control_plane.api.cel.types import INT, STRING, list_of


def _find(text: str, pattern: str) -> str:
    found = compiled(pattern).search(text)
    return found.group(0) if found else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    """Return the matches from the left; a negative limit asks for all."""
    found: list[str] = []
    for match in compiled(pattern).finditer(text):
        if 0 <= limit <= len(found):
            break
        found.append(match.group(0))
    return found


def _limited_cost(text: str, pattern: str, _limit: int) -> int:
    return matches_cost(text, pattern)


LIBRARY: Final = (
    member("find", (STRING, STRING), STRING, _find, matches_cost),
    Function(
        "findAll",
        (
            Overload((STRING, STRING), list_of(STRING), _find_all, True, matches_cost),
            Overload((STRING, STRING, INT), list_of(STRING), _find_all, True, _limited_cost),
        ),
    ),
)
