"""Equality as the API means it: an absent field and an empty one are the same.

Decides whether an update changed a spec (metadata.generation) or an immutable field. Zero and false
are not empty here: for optional fields upstream tells an explicit zero from none. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.go_syntax import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator


def is_empty(value: Any) -> bool:
    """Tell whether a value means the same as an absent field."""
    if isinstance(value, dict):
        return all(is_empty(item) for item in value.values())
    return value is None or value == [] or value == ""


def semantically_equal(one: Any, other: Any) -> bool:
    """Compare two JSON values; absent, null, "", [] and {} are equal to each other."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(
            semantically_equal(one.get(key), other.get(key)) for key in one.keys() | other.keys()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(semantically_equal, one, other))
    if is_empty(one) and is_empty(other):
        return True
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def difference(new: Any, old: Any, path: str) -> str:
    """Return one line for each value that differs in meaning: "path: old -> new"."""
    return "\n".join(_differences(new, old, path))


def _differences(new: Any, old: Any, path: str) -> Iterator[str]:
    if semantically_equal(new, old):
        return
    if isinstance(new, dict) and isinstance(old, dict):
        for key in sorted(new.keys() | old.keys()):
            yield from _differences(new.get(key), old.get(key), f"{path}.{key}")
    elif isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        for index, (item, before) in enumerate(zip(new, old, strict=True)):
            yield from _differences(item, before, f"{path}[{index}]")
    else:
        yield f"{path}: {to_json(old)} -> {to_json(new)}"
