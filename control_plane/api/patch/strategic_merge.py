"""Strategic merge patch: a merge patch that knows which lists merge by key, and its directives.

A map may carry `$patch` (replace or delete), `$retainKeys`, `$setElementOrder/<list>` and
`$deleteFromPrimitiveList/<list>`; an item of a list that merges may carry `$patch` (replace or
delete). Which lists merge, and by what key, says the `FieldType` of the object patched. Fields a
type does not know merge as plain JSON: maps recurse, lists are replaced.

Called through the PATCHES table. Pure: the original and the patch are copied, never changed.
Order of a merged list: list_order.py. Source: Kubernetes v1.35 strategic merge patch.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.go_text import go_value
from control_plane.api.patch.decoding import MAP, decode_json, no_such_type
from control_plane.api.patch.list_order import (
    MARKER,
    check_order,
    is_marked,
    key_of,
    order_merged,
)
from control_plane.api.patch.strategic_errors import BadDirective, StrategicMergeError
from control_plane.api.patch.unprocessable import unprocessable

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from control_plane.api.patch.field_types import FieldType


RETAIN_KEYS: Final = "$retainKeys"
SET_ORDER: Final = "$setElementOrder"
DELETE_PRIMITIVES: Final = "$deleteFromPrimitiveList"


def decode(body: bytes, *, is_checked: bool = True) -> Object:
    """Return the map of a patch body, null as an empty one; raises BadRequest for any other."""
    patch = decode_json(body)
    if patch is None:
        return {}
    if not isinstance(patch, dict):
        raise no_such_type(patch, MAP)
    return patch


def apply(original: Object, patch: Object, fields: FieldType) -> Object:
    """Return `original`, an object of type `fields`, with `patch` merged in.

    Raises StrategicMergeError, and Invalid for lists of lists.
    """
    return _merge_map(copy.deepcopy(original), copy.deepcopy(patch), fields)


def _merge_map(original: Object, patch: Object, fields: FieldType) -> Object:
    """Merge `patch` into `original`, both of which belong to the caller no longer."""
    if MARKER in patch:
        return _apply_marker(patch)
    _retain_keys(original, patch)
    for key in [key for key in patch if key.startswith(SET_ORDER)]:
        _merge_ordered_list(original, patch, key, fields)
    for key, value in patch.items():
        field, delete_list = key, key.startswith(DELETE_PRIMITIVES)
        if delete_list:
            field = _field_of(key, DELETE_PRIMITIVES, "primitive list")
        _merge_field(original, field, value, fields.field(field), delete_list=delete_list)
    return original


def _apply_marker(patch: Object) -> Object:
    marker = patch[MARKER]
    if marker == "replace":
        return {key: value for key, value in patch.items() if key != MARKER}
    if marker == "delete":
        return {}
    raise StrategicMergeError(f"unknown patch type: {go_value(marker)} in map: {go_value(patch)}")


def _retain_keys(original: Object, patch: Object) -> None:
    if RETAIN_KEYS not in patch:
        return
    kept = patch.pop(RETAIN_KEYS)
    directives = (DELETE_PRIMITIVES, SET_ORDER)
    set_here = [key for key, value in patch.items() if value is not None]
    if not isinstance(kept, list) or any(
        key not in kept for key in set_here if not key.startswith(directives)
    ):
        raise BadDirective("invalid patch format of retainKeys")
    for key in [key for key in original if key not in kept]:
        del original[key]


def _field_of(key: str, directive: str, what: str) -> str:
    prefix, slash, field = key.partition("/")
    if prefix != directive or not slash or not field:
        raise BadDirective(f"invalid patch format of {what}")
    return field


def _merge_ordered_list(original: Object, patch: Object, key: str, fields: FieldType) -> None:
    """Merge the list that one $setElementOrder names and put it in that order."""
    order = _as_list(patch.pop(key))
    field = _field_of(key, SET_ORDER, "setElementOrder list")
    if field not in original and field not in patch:
        return
    kind = fields.field(field)
    live = _as_list(original.get(field, []))
    added = _as_list(patch.pop(field, []))
    check_order(added, order, kind.merge_key)
    if field not in original:
        merged = _without_marked(added)
    else:
        merged = _merge_list(list(live), added, kind) if added else live
    _one_kind(live, added)
    seen = _live_order(live, added, kind.merge_key)
    original[field] = order_merged(merged, order, seen, kind.merge_key)


def _live_order(live: list[Any], patch: list[Any], merge_key: str) -> list[Any]:
    """Return the live list as upstream's ordering sees it once the lists are merged.

    Items the patch deletes are gone, and the first new items, as many as were deleted, count as
    live: upstream merges in the live list's own memory, and clients came to see that order.
    """
    if not merge_key:
        return live
    gone = [key_of(item, merge_key) for item in patch if item.get(MARKER) == "delete"]
    kept = [item for item in live if item.get(merge_key) not in gone]
    if any(item.get(MARKER) == "replace" for item in patch):
        return kept
    known = [item.get(merge_key) for item in kept]
    new = [item for item in patch if MARKER not in item and item[merge_key] not in known]
    return [*kept, *new[: len(live) - len(kept)]]


def _as_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise StrategicMergeError(f"expected a []interface {{}}, but received a {_go_type(value)}")
    return value


def _go_type(value: Any) -> str:
    names = {
        dict: "map[string]interface {}",
        str: "string",
        bool: "bool",
        int: "int64",
        float: "float64",
    }
    return names.get(type(value), "<nil>")


def _merge_field(
    original: Object, field: str, value: Any, kind: FieldType, *, delete_list: bool
) -> None:
    if value is None:
        original.pop(field, None)
        return
    live = original.get(field)
    if live is None or type(live) is not type(value):
        if not delete_list:
            _take(original, field, value)
    elif isinstance(value, dict):
        original[field] = value if kind.replaces else _merge_map(live, value, kind)
    elif isinstance(value, list):
        if delete_list or kind.merges:
            original[field] = _merge_list(live, value, kind, delete_list=delete_list)
        else:
            original[field] = value
    else:
        original[field] = value


def _take(original: Object, field: str, value: Any) -> None:
    """Set a field the original lacks: nested nulls mean nothing there, nor does what is marked.

    Other directives stay, as unknown fields of the result.
    """
    if isinstance(value, dict) and MARKER in value:
        original.pop(field, None)
    else:
        original[field] = _without_marked(_without_nulls(value))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return list(map(_without_nulls, value)) if isinstance(value, list) else value


def _without_marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_marked(item) for key, item in value.items() if not is_marked(item)}
    if isinstance(value, list):
        return [_without_marked(item) for item in value if not is_marked(item)]
    return value


def _merge_list(
    original: list[Any], patch: list[Any], kind: FieldType, *, delete_list: bool = False
) -> list[Any]:
    if not original and not patch:
        return original
    if not _one_kind(original, patch):
        if delete_list:
            return [item for item in original if item not in patch]
        merged = list(dict.fromkeys([*original, *patch]))
        return order_merged(merged, patch, original, "")
    if not kind.merge_key:
        raise StrategicMergeError(f"cannot merge lists without merge key for {kind.name}")
    live, added = _apply_item_markers(original, patch, kind.merge_key)
    # merging appends: the live list must still say what was there before
    merged = _merge_items(list(live), added, kind)
    return order_merged(merged, added, live, kind.merge_key)


def _one_kind(*lists: list[Any]) -> bool:
    """Return True for lists of maps, False for lists of scalars; anything mixed or nested is an
    error.
    """
    kinds = [type(item) for items in lists for item in items]
    if not kinds:
        raise StrategicMergeError("no elements in any of the given slices")
    if list in kinds:
        raise unprocessable()  # lists of lists
    if any(kind is not kinds[0] for kind in kinds):
        raise StrategicMergeError(f"list element types are not identical: {go_value(list(lists))}")
    return kinds[0] is dict


def _apply_item_markers(
    original: list[Any], patch: list[Any], merge_key: str
) -> tuple[list[Any], list[Any]]:
    """Carry out the marked items of a patch list; return what is left of both lists."""
    replaces, gone = False, []
    for item in patch:
        marker = item.get(MARKER)
        if marker == "delete":
            gone.append(key_of(item, merge_key))
        elif marker == "replace":
            replaces = True
        elif marker == "merge":
            raise StrategicMergeError("merging lists cannot yet be specified in the patch")
        elif MARKER in item:
            raise StrategicMergeError(
                f"unknown patch type: {go_value(marker)} in map: {go_value(item)}"
            )
    rest = [item for item in patch if MARKER not in item]
    if replaces:
        return rest, []
    if gone:
        original = [live for live in original if key_of(live, merge_key) not in gone]
    return original, rest


def _merge_items(original: list[Any], patch: list[Any], kind: FieldType) -> list[Any]:
    for item in patch:
        key = key_of(item, kind.merge_key)
        found = next(
            (i for i, live in enumerate(original) if live.get(kind.merge_key) == key), None
        )
        if found is None:
            original.append(item)
        else:
            original[found] = _merge_map(original[found], item, kind.element)
    return original
