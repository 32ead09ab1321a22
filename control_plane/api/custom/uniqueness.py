"""Lists whose items must differ: sets, and maps by their keys.

Source: apiextensions structural schema listtype, v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.custom.structural import MISSING
from control_plane.api.custom.value_validation import below
from control_plane.api.field_error import FieldError, duplicate
from control_plane.api.go_syntax import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.custom.structural import Node


def new_repetitions(node: Node, value: Any, old: Any) -> list[FieldError]:
    """Return the items that are there already; none where the old value (or MISSING) had some."""
    found = list(_repetitions(node, value, ""))
    return [] if found and old is not MISSING and any(_repetitions(node, old, "")) else found


def _repetitions(node: Node, value: Any, path: str) -> Iterator[FieldError]:
    if isinstance(value, dict):
        for key, member in value.items():
            known = node.child(key)
            if known is not None and isinstance(member, dict | list):
                yield from _repetitions(known, member, below(path, key))
    elif isinstance(value, list):
        yield from _repeated(node, value, path)
        if node.items is not None:
            for index, item in enumerate(value):
                yield from _repetitions(node.items, item, f"{path}[{index}]")


def _repeated(node: Node, value: list[Any], path: str) -> Iterator[FieldError]:
    if node.list_type not in ("set", "map"):
        return
    seen = set()
    for index, item in enumerate(value):
        shown = item
        if node.list_type == "map":
            if not isinstance(item, dict):
                continue
            shown = {key: item[key] for key in node.list_keys if key in item}
        text = to_json(shown)
        if text in seen:
            yield duplicate(f"{path}[{index}]", shown)
        seen.add(text)
