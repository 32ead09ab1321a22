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
from control_plane.api.go_text import go_kind
from control_plane.api.json_syntax import is_too_deep
from control_plane.api.patch.decoding import decode_json
from control_plane.api.patch.unprocessable import unprocessable

if TYPE_CHECKING:
    from control_plane.api.objects import Object

MAX_OPERATIONS: Final = 10_000
MAX_COPIED_BYTES: Final = 3 * 1024 * 1024
WITH_SOURCE: Final = ("move", "copy")
KINDS: Final = ("add", "remove", "replace", "test", *WITH_SOURCE)
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


def decode(body: bytes) -> list[Operation]:
    """Return the operations of a patch body.

    Raises BadRequest for anything but a list of well-formed operations and RequestEntityTooLarge
    above MAX_OPERATIONS.
    """
    operations = decode_json(body)
    if not isinstance(operations, list):
        raise BadRequest(
            f"error decoding patch: json: cannot unmarshal {go_kind(operations)} into Go value of "
            "type "
            "[]handlers.jsonPatchOp"
        )
    if len(operations) > MAX_OPERATIONS:
        raise RequestEntityTooLarge.of(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got "
            f"{len(operations)}"
        )
    for operation in operations:
        _check(operation)
    return operations


def _check(operation: Any) -> None:
    if not isinstance(operation, dict):
        raise BadRequest(
            f"error decoding patch: json: cannot unmarshal {go_kind(operation)} into Go value of "
            "type "
            "handlers.jsonPatchOp"
        )
    trouble = _trouble(operation)
    if trouble:
        shown = to_json(dict(sorted(operation.items())))
        raise BadRequest(f"invalid operation {shown}: {trouble}")


def _trouble(operation: Operation) -> str:
    if operation.get("op") not in KINDS:
        return "unsupported operation"
    if operation["op"] in WITH_SOURCE and not isinstance(operation.get("from"), str):
        return "failed to decode 'from': operation missing from field: missing value"
    if not isinstance(operation.get("path"), str):
        return "failed to decode 'path': operation missing path field: missing value"
    return ""


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
