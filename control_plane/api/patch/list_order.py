"""The order of a list after a strategic merge.

Precedence: `$setElementOrder`, then the order in the patch, then the order of the live list. Items
are told apart by their merge key, scalars by their value (merge key ""). Called by
strategic_merge.py. Pure.
"""

from __future__ import annotations

from typing import Any

from control_plane.api.go_text import go_value
from control_plane.api.patch.strategic_errors import StrategicMergeError


def key_of(item: Any, merge_key: str) -> Any:
    """Return what tells `item` apart in its list; raises when it lacks the merge key."""
    if not merge_key:
        return item
    if not isinstance(item, dict):
        raise StrategicMergeError(f"value for key {go_value(item)} is not a map")
    if merge_key not in item:
        raise StrategicMergeError(
            f"map: {go_value(item)} does not contain declared merge key: {merge_key}"
        )
    key = item[merge_key]
    if isinstance(key, (dict, list)):
        raise StrategicMergeError(f"merge key {merge_key} of {go_value(item)} is not a scalar")
    return key


def order_merged(merged: list[Any], order: list[Any], live: list[Any], merge_key: str) -> list[Any]:
    """Return `merged` ordered by `order`, with the items only the live list has kept where they can
    be.

    Items named in `order` come in that order, the rest in the live order; of the two sequences'
    heads the second's goes first only when both are in the live list and it lies before the other
    there.
    """
    positions = _positions(order, merge_key)
    live_positions = _positions(live, merge_key)

    def position(item: Any) -> int:
        return positions[key_of(item, merge_key)]

    def live_position(item: Any) -> int:
        return live_positions.get(key_of(item, merge_key), -1)

    named = [item for item in merged if key_of(item, merge_key) in positions]
    others = [item for item in merged if key_of(item, merge_key) not in positions]
    named.sort(key=position)
    others.sort(key=live_position)
    return _interleave(
        others, named, [live_position(i) for i in others], [live_position(i) for i in named]
    )


def _positions(items: list[Any], merge_key: str) -> dict[Any, int]:
    positions: dict[Any, int] = {}
    for position, item in enumerate(items):
        positions.setdefault(key_of(item, merge_key), position)
    return positions


def _interleave(
    others: list[Any], named: list[Any], other_at: list[int], named_at: list[int]
) -> list[Any]:
    result: list[Any] = []
    i = j = 0
    while i < len(others) and j < len(named):
        if 0 <= other_at[i] < named_at[j]:
            result.append(others[i])
            i += 1
        else:
            result.append(named[j])
            j += 1
    return [*result, *others[i:], *named[j:]]


def check_order(patch: list[Any], order: list[Any], merge_key: str) -> None:
    """Refuse a patch list whose items are not in `$setElementOrder`, or not in its order."""
    if not patch or not order:
        return
    wanted = iter([key_of(item, merge_key) for item in order])
    for item in patch:
        if isinstance(item, dict) and "$patch" in item:
            continue
        if key_of(item, merge_key) not in wanted:  # advances past the item: order counts
            raise StrategicMergeError(
                f"The order in patch list:\n{go_value(patch)}\n doesn't match $setElementOrder "
                "list:"
                f"\n{go_value(order)}\n"
            )
