"""What strict decoding objects to in a patch body itself: repeated keys, unknown members.

The patched object's own fields are checked by field_validation.py. Called through the PATCHES
table when the fieldValidation parameter asks for it. Pure; bodies have been decoded before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.json_syntax import RepeatedKeys, decode_with_repeats

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEMBERS: Final = ("op", "path", "from", "value")


def of_operations(body: bytes) -> tuple[str, ...]:
    """Return the objections to a JSON Patch: what an operation may not have, or has twice."""
    found = []
    for index, operation in enumerate(decode_with_repeats(body) or ()):
        for key, is_repeat in _keys(operation or {}):
            path = f'"[{index}].{key}"'
            if is_repeat:
                found.append(f"json patch duplicate field {path}")
            elif key not in _MEMBERS:
                found.append(f"json patch unknown field {path}")
    return tuple(dict.fromkeys(found))


def of_document(body: bytes) -> tuple[str, ...]:
    """Return the objections to a merge patch of either kind: keys that occur twice."""
    return tuple(dict.fromkeys(_repeats(decode_with_repeats(body), "")))


def _repeats(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _repeats(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, is_repeat in _keys(value):
            where = f"{path}.{key}" if path else key
            if is_repeat:
                yield f'duplicate field "{where}"'
            else:
                yield from _repeats(value[key], where)


def _keys(value: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield each key in document order, and whether it was there before."""
    seen: set[str] = set()
    pairs = value.pairs if isinstance(value, RepeatedKeys) else value.items()
    for key, _ in pairs:
        yield key, key in seen
        seen.add(key)
