"""Names of fields as they are written in expressions.

What is no identifier is escaped: "x-prop" is x__dash__prop, "namespace" is __namespace__. Source:
the escapes of Kubernetes' CEL types.
"""

from __future__ import annotations

import re
from typing import Final

RESERVED: Final = frozenset({
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in",
    "let", "loop", "namespace", "null", "package", "return", "true", "var", "void", "while",
})  # fmt: skip
_ESCAPES: Final = {"__": "underscores", ".": "dot", "-": "dash", "/": "slash"}
_UNESCAPES: Final = {word: text for text, word in _ESCAPES.items()}
_SPECIAL: Final = re.compile(r"__|[.\-/]")
_ESCAPED: Final = re.compile("__([a-z]+)__")
_IDENTIFIER: Final = re.compile("[_a-zA-Z][_a-zA-Z0-9]*")


def is_identifier(name: str) -> bool:
    """Tell whether a name may be a variable's."""
    return name not in RESERVED and _IDENTIFIER.fullmatch(name) is not None


def escaped(name: str) -> str | None:
    """Return how a field is written in expressions; None when it cannot be."""
    if name in RESERVED:
        return f"__{name}__"
    written = _SPECIAL.sub(lambda found: f"__{_ESCAPES[found[0]]}__", name)
    return written if _IDENTIFIER.fullmatch(written) else None


def unescaped(written: str) -> str:
    """Return the field that is written so; the same text when nothing in it is escaped."""
    whole = _ESCAPED.fullmatch(written)
    if whole and whole[1] in RESERVED:
        return whole[1]
    return _ESCAPED.sub(lambda found: _UNESCAPES.get(found[1], found[0]), written)
