"""JSON Patch (RFC 6902) with the API server's limits, extensions and error texts.

Beyond the RFC, and as upstream's library has it: a negative index counts from the end of a list,
and `test` of a missing member against null passes. Called through the PATCHES table. Pure: the
original is never changed.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, Final

import jsonpatch
from jsonpointer import EndOfList, JsonPointer, JsonPointerException

from control_plane.api.errors import BadRequest, RequestEntityTooLarge
from control_plane.api.go_syntax import to_json
from control_plane.api.json_syntax import is_too_deep
from control_plane.api.patch.decoding import CHECKING, decode_json, no_such_type
from control_plane.api.patch.unprocessable import unprocessable
from control_plane.api.typed_scalars import Place, mismatch

if TYPE_CHECKING:
    from control_plane.api.objects import Object

MAX_OPERATIONS: Final = 10_000
MAX_COPIED_BYTES: Final = 3 * 1024 * 1024
WITH_SOURCE: Final = ("move", "copy")
KINDS: Final = ("add", "remove", "replace", "test", *WITH_SOURCE)
_TEXTS: Final = ("op", "path", "from")
# the types that a body is read into, by the library alone and with its fields checked
_LISTS: Final = ("jsonpatch.Patch", "[]handlers.jsonPatchOp")
_ITEMS: Final = ("jsonpatch.Operation", "handlers.jsonPatchOp")
_ABSENT: Final = object()
# what comes of paths into scalars, absent members, indexes of too many digits and deep nesting
_MISSES: Final = (TypeError, KeyError, ValueError, RecursionError)
_INDEX: Final = re.compile("[0-9]{1,9}", re.ASCII)
_NEGATIVE_INDEX: Final = re.compile("-[0-9]{1,9}", re.ASCII)

Operation = dict[str, Any]


class NotApplicable(Exception):
    """A patch that does not fit an object: one of its operations cannot be applied."""

    def __init__(self, operation: Operation) -> None:
        """Name the operation."""
        super().__init__(f"{operation.get('op')} {operation.get('path')}")
        self.operation = operation


def decode(body: bytes, *, is_checked: bool = True) -> list[Operation]:
    """Return the operations of a patch body, whether they can be applied or not.

    Raises BadRequest for anything but a list of operations and RequestEntityTooLarge above
    MAX_OPERATIONS.
    """
    prefix = CHECKING if is_checked else ""
    operations = decode_json(body, prefix)
    if operations is None:
        return []
    if not isinstance(operations, list):
        raise no_such_type(operations, _LISTS[is_checked], prefix)
    for operation in operations:
        if operation is not None and not isinstance(operation, dict):
            raise no_such_type(operation, _ITEMS[is_checked], prefix)
        if is_checked:
            _check(operation or {})
    if len(operations) > MAX_OPERATIONS:
        raise RequestEntityTooLarge.of(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got "
            f"{len(operations)}"
        )
    return [operation or {} for operation in operations]


def _check(operation: Operation) -> None:
    for name in _TEXTS:
        value = operation.get(name)
        if value is not None and not isinstance(value, str):
            trouble = mismatch(value, Place(None, name, "jsonPatchOp"), "string")
            raise BadRequest(f"{CHECKING}{trouble}")


def _is_whole(operation: Operation) -> bool:
    """Tell whether an operation is one, and has what it needs to be looked at."""
    needed = ("path", "from") if operation.get("op") in WITH_SOURCE else ("path",)
    return operation.get("op") in KINDS and all(isinstance(operation.get(n), str) for n in needed)


def apply(original: Object, patch: list[Operation], _fields: object = None) -> Object:
    """Return `original` after every operation in order; the types of its fields do not matter.

    Raises the API's 422 when an operation cannot be applied: a failing test, a missing path or
    source, an index out of range, more than MAX_COPIED_BYTES copied, nesting beyond what is read.
    """
    try:
        return applied(original, patch)
    except NotApplicable as error:
        raise unprocessable() from error


def applied(original: Object, patch: list[Operation], *, adds_by_replacing: bool = False) -> Object:
    """Do as `apply`, and raise NotApplicable with the operation that cannot be applied.

    One that `adds_by_replacing` gives an object a member that it does not have yet.
    """
    document: Any = copy.deepcopy(original)
    copied = 0
    operation: Operation = {}
    try:
        for operation in patch:
            if not _is_whole(operation):
                raise NotApplicable(operation)
            located = _with_plain_indexes(document, operation)
            if adds_by_replacing and _replaces_nothing(document, located):
                located = {**located, "op": "add"}
            copied += _copied_bytes(document, located)
            if copied > MAX_COPIED_BYTES:
                raise NotApplicable(operation)
            document = _apply_one(document, located)
    except (jsonpatch.JsonPatchException, JsonPointerException, *_MISSES) as error:
        raise NotApplicable(operation) from error
    if is_too_deep(document):
        raise NotApplicable(operation)
    return document  # type: ignore[no-any-return]


def _replaces_nothing(document: Any, operation: Operation) -> bool:
    if operation["op"] != "replace" or not operation["path"]:
        return False
    parent, name = JsonPointer(operation["path"]).to_last(document)
    return isinstance(parent, dict) and name not in parent


def _apply_one(document: Any, operation: Operation) -> Any:
    if operation["op"] == "test":
        found = _find(document, operation["path"])
        wanted = operation.get("value")
        if not (found is _ABSENT and wanted is None) and not _equal(found, wanted):
            raise jsonpatch.JsonPatchTestFailed
        return document
    return jsonpatch.JsonPatch([{"value": None, **operation}]).apply(document, in_place=True)


def _find(document: Any, path: str) -> Any:
    found = JsonPointer(path).resolve(document, _ABSENT)
    return _ABSENT if isinstance(found, EndOfList) else found


def _equal(one: Any, other: Any) -> bool:
    """Compare as JSON: unlike Python, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _copied_bytes(document: Any, operation: Operation) -> int:
    if operation["op"] != "copy":
        return 0
    return len(to_json(JsonPointer(operation["from"]).resolve(document)))


def _with_plain_indexes(document: Any, operation: Operation) -> Operation:
    pointers = [name for name in ("path", "from") if "/-" in str(operation.get(name, ""))]
    return {**operation, **{name: _plain(document, operation[name]) for name in pointers}}


def _plain(document: Any, path: str) -> str:
    """Rewrite the negative indexes of one pointer; the rest, "-" for appending included, stays as
    it is.
    """
    parts = path.split("/")
    here = document
    for position, part in enumerate(parts[1:], start=1):
        if isinstance(here, list) and _NEGATIVE_INDEX.fullmatch(part):
            parts[position] = str(len(here) + int(part))
        name = parts[position].replace("~1", "/").replace("~0", "~")
        if isinstance(here, list):
            here = here[int(name)] if _INDEX.fullmatch(name) and int(name) < len(here) else None
        else:
            here = here.get(name) if isinstance(here, dict) else None
    return "/".join(parts)
