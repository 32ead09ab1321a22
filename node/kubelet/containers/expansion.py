"""$(VAR) references in env values, command, args and subPathExpr. Pure.

`$$` is a dollar sign, an unknown or unterminated reference stays as written. Source: kubernetes
third_party expansion.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def expand(text: str, *scopes: Mapping[str, str], missing: list[str] | None = None) -> str:
    """Replace references by the first scope that has the name; unknown names go to `missing`."""
    out: list[str] = []
    position = 0
    while (dollar := text.find("$", position)) >= 0 and dollar + 1 < len(text):
        out.append(text[position:dollar])
        piece, position = _piece(text, dollar, scopes, missing)
        out.append(piece)
    out.append(text[position:])
    return "".join(out)


def _piece(
    text: str, dollar: int, scopes: tuple[Mapping[str, str], ...], missing: list[str] | None
) -> tuple[str, int]:
    """Return what stands for the reference at `dollar`, and where it ends."""
    following = text[dollar + 1]
    if following == "$":
        return "$", dollar + 2
    end = text.find(")", dollar) if following == "(" else -1
    if end < 0:
        return text[dollar : dollar + 2], dollar + 2
    name = text[dollar + 2 : end]
    for scope in scopes:
        if name in scope:
            return scope[name], end + 1
    if missing is not None:
        missing.append(name)
    return text[dollar : end + 1], end + 1


def expand_all(texts: list[str] | None, scope: Mapping[str, str]) -> list[str] | None:
    """Expand every element; None and the empty list mean "not given"."""
    return [expand(text, scope) for text in chain(texts)] if texts else None
