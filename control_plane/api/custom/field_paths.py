"""Paths to a field below a schema: `.spec.name`, `.spec['a.b']`; keys of maps are fields too.

Source: v1.35 apiextensions, the paths of rules and of selectable fields.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TOKEN: Final = re.compile(r"'.*?(?<!\\)'|'.*|[.\[\]]|[^.\[\]]+", re.DOTALL)
_END: Final = "unexpected end of JSON path"
_NO_FIELD: Final = "does not refer to a valid field"


def field_at(path: str, schema: Mapping[str, Any], *, has_arrays: bool = True) -> Any:
    """Return the schema of the field at `path`; ValueError with upstream's text for none.

    Without `has_arrays` a step in brackets is an error.
    """
    node: Any = schema
    for name in _steps(path, has_arrays=has_arrays):
        properties, extra = node.get("properties"), node.get("additionalProperties")
        node = (properties.get(name) if properties is not None else extra) or None
        if node is None:
            raise ValueError(_NO_FIELD)
        if not isinstance(node, dict):
            node = {}
    return node


def _steps(path: str, *, has_arrays: bool) -> Iterator[str]:
    tokens = iter(_TOKEN.findall(path))
    for token in tokens:
        if token == ".":
            yield _next(tokens)
        elif token != "[":
            raise ValueError(f"expected [ or . but got: {token}")
        elif not has_arrays:
            raise ValueError("array notation is not allowed")
        else:
            name = _next(tokens)
            if len(name) < 2 or name[0] != "'" or name[-1] != "'":
                raise ValueError(f"expected single quoted string but got {name}")
            yield name[1:-1].replace("\\'", "'")
            if (end := _next(tokens)) != "]":
                raise ValueError(f"expected ] but got {end}")


def _next(tokens: Iterator[str]) -> str:
    token = next(tokens, None)
    if token is None:
        raise ValueError(_END)
    return token
