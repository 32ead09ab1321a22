"""The order of a list after a strategic merge.

Precedence: `$setElementOrder`, then the order in the patch, then the order of the live list. Items
are told apart by their merge key, scalars by their value (merge key ""). Called by
strategic_merge.py. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.go_text import go_value
from control_plane.api.patch.strategic_errors import StrategicMergeError

if TYPE_CHECKING:
    from collections.abc import Callable

MARKER: Final = "$patch"


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
    others = _sorted_where_known(others, live_position)
    return _interleave(
        others, named, [live_position(i) for i in others], [live_position(i) for i in named]
    )


def _sorted_where_known(items: list[Any], position: Callable[[Any], int]) -> list[Any]:
    """Return items sorted by position; those without one (-1) give way to all that follow them.

    Such items exist only beside an empty order list. Insertion sort, because what becomes of them
    follows from the steps of upstream's.
    """
    result: list[Any] = []
    places: list[int] = []
    for item in items:
        place = position(item)
        at = len(result)
        while at and (place < 0 or places[at - 1] < 0 or place < places[at - 1]):
            at -= 1
        result.insert(at, item)
        places.insert(at, place)
    return result


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


def check_order(given: list[Any], order: list[Any], merge_key: str) -> None:
    """Refuse a patch list whose items are not in `$setElementOrder`, or not in its order."""
    if not given or not order:
        return
    patch = [item for item in given if not (is_marked(item) and item[MARKER] == "delete")]
    wanted = [key_of(item, merge_key) for item in order]
    at = matched = 0
    while matched < len(patch) and at < len(wanted):
        item = patch[matched]
        if is_marked(item):
            matched += 1
            continue
        matched += key_of(item, merge_key) == wanted[at]
        at += 1
    if matched < len(patch):
        raise StrategicMergeError(
            f"The order in patch list:\n{go_value(given)}\n doesn't match $setElementOrder list:"
            f"\n{go_value(order)}\n"
        )


def is_marked(item: Any) -> bool:
    """Tell whether a list's item is, or carries, a directive."""
    return isinstance(item, dict) and MARKER in item
