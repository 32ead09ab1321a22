"""A configuration merged into an object, by shape.

Structs and maps are merged field by field, lists of maps item by item, sets by value; atomic values
and leaves are replaced, a null leaf included. Neither argument is changed; the result shares with
both. Called by applying.py. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.apply.shapes import FREE, ListShape, MapShape, Scalar, Shape, concrete

if TYPE_CHECKING:
    from collections.abc import Iterator


def merged(shape: Shape, live: Any, config: Any) -> Any:
    """Return `live` with `config` applied; raises ShapeError."""
    walked = concrete(shape, config)
    if isinstance(walked, Scalar) or walked.is_atomic or not (live or config):
        return config
    if isinstance(walked, MapShape):
        return _merged_maps(walked, live or {}, config or {})
    return _merged_lists(walked, live or [], config or [])


def _merged_maps(shape: MapShape, live: Any, config: dict[str, Any]) -> Any:
    if not isinstance(live, dict):
        return config
    result = dict(live)
    for name, value in config.items():
        child = shape.child(name) or FREE
        result[name] = merged(child, live[name], value) if name in live else value
    return result


def _merged_lists(shape: ListShape, live: Any, config: list[Any]) -> Any:
    if not isinstance(live, list):
        return config
    left = [(shape.item_element(item), item) for item in live]
    right = [(shape.item_element(item), item) for item in config]
    items = dict(right)
    before: dict[str, list[Any]] = {}
    for element, item in left:
        before.setdefault(element, []).append(item)
    result = []
    for element, item in _in_merged_order(left, right):
        applied = items.get(element, item)
        mergeable = element in items and len(before.get(element, ())) == 1
        result.append(merged(shape.element, before[element][0], applied) if mergeable else applied)
    return result


_Keyed = list[tuple[str, Any]]


def _in_merged_order(left: _Keyed, right: _Keyed) -> Iterator[tuple[str, Any]]:
    """Yield each applied item once and each live item that was not applied.

    Live items come in their own order, applied ones in theirs; where the two orders contradict each
    other the configuration's wins, and an item only in one stays near its neighbours.
    """
    applied = {element for element, _ in right}
    live = {element for element, _ in left}
    shared = [element for element, _ in right if element in live]
    done: set[str] = set()
    at = 0
    for element, item in right:
        while at < len(left):
            here = left[at][0]
            if here not in applied:
                yield left[at]
            elif here not in done and here in (element, *shared[:1]):
                break
            at += 1
        at += at < len(left) and left[at][0] == element
        yield element, item
        done.add(element)
        if shared[:1] == [element]:
            del shared[0]
    yield from (pair for pair in left[at:] if pair[0] not in applied)
