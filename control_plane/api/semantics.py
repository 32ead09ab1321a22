"""Equality as the API means it: an absent field and an empty one are the same.

Decides whether an update changed a spec (metadata.generation) or an immutable field. Zero and false
are not empty here: for optional fields upstream tells an explicit zero from none. Pure.
"""

from __future__ import annotations

from typing import Any


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
