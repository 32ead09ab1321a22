"""Validation of a custom resource's values against its schema.

On updates, what is as it was and can be told apart there is not judged again: old objects stay
changeable when their schema has become stricter. Texts and their order are those of kube-openapi's
validator and of apiextensions v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.custom.string_formats import is_known
from control_plane.api.custom.structural import INT_OR_STRING, MISSING
from control_plane.api.custom.value_checks import unplaced
from control_plane.api.field_error import FieldError, required, type_invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.custom.structural import Node

_MAX_WHOLE: Final = 2**53 - 1  # what JSON's numbers hold without loss
_NAMES: Final = {
    dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number",
}  # fmt: skip

_GO_FORMATS: Final = {int: "int64", float: "float64"}


def type_name(value: Any) -> str:
    """Return what schemas call a value's type."""
    return _NAMES.get(type(value), "null")


def violations(node: Node, value: Any, path: str = "", old: Any = MISSING) -> Iterator[FieldError]:
    """Yield what is wrong with a value; `old` is what stood there before, where that is known."""
    if old is not MISSING and _same(value, old):
        return
    if value is None:
        if node.types and not node.nullable:
            yield _wrong_type(node, value, path)
        return
    if node.types and not _has_type(node, value):
        yield _wrong_type(node, value, path)
    yield from _combined(node, value, path)
    for check in node.checks:
        yield from check(value, path)
    if isinstance(value, list) and node.items is not None:
        yield from _in_list(node, node.items, value, path, old)
    elif isinstance(value, dict):
        yield from _in_object(node, value, path, old)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _has_type(node: Node, value: Any) -> bool:
    name = type_name(value)
    if name in node.types:
        return True
    if name == "integer":
        return "number" in node.types
    is_whole = name == "number" and value.is_integer() and abs(value) <= _MAX_WHOLE
    return bool(is_whole) and "integer" in node.types


def _wrong_type(node: Node, value: Any, path: str) -> FieldError:
    name, wanted = type_name(value), ",".join(node.types)
    shape = node.source.get("format") or ""
    if is_known(shape) and name not in ("string", "array", "null"):
        # of what cannot have the format, upstream names the format that Go's value has
        name, wanted = _GO_FORMATS.get(type(value), ""), shape
    return type_invalid(path, name, f'{path} in body must be of type {wanted}: "{name}"')


def below(path: str, key: str) -> str:
    """Return the path of a field."""
    return f"{path}.{key}" if path else key


def _in_object(node: Node, value: dict[str, Any], path: str, old: Any) -> Iterator[FieldError]:
    before = old if isinstance(old, dict) else {}
    for key in node.required:
        if key not in value:
            yield required(below(path, key))
    for key, member in value.items():
        known = node.child(key)
        if known is not None:
            yield from violations(known, member, below(path, key), before.get(key, MISSING))


def _in_list(
    node: Node, items: Node, value: list[Any], path: str, old: Any
) -> Iterator[FieldError]:
    before = correlated(node, old)
    for index, item in enumerate(value):
        was = before.get(key_of(node, item), MISSING) if before else MISSING
        yield from violations(items, item, f"{path}[{index}]", was)


def correlated(node: Node, old: Any) -> dict[Any, Any]:
    """Return the old items by their keys; {} where items cannot be told apart."""
    if node.list_type != "map" or not isinstance(old, list):
        return {}
    return {key_of(node, item): item for item in old if isinstance(item, dict)}


def key_of(node: Node, item: Any) -> tuple[tuple[str, str], ...]:
    """Return what tells an item of a list of type map from the others."""
    if not isinstance(item, dict):
        return ()
    return tuple((key, repr(item.get(key))) for key in node.list_keys)


def _combined(node: Node, value: Any, path: str) -> Iterator[FieldError]:
    for word, options in node.alternatives:
        found = [list(violations(option, value, path)) for option in options]
        valid = sum(not errors for errors in found)
        yield from _JUDGES[word](found, valid, path)
    if node.never is not None and not any(violations(node.never, value, path)):
        yield unplaced(f'"{path}" must not validate the schema (not)')


def _any_of(found: list[list[FieldError]], valid: int, path: str) -> Iterator[FieldError]:
    if not valid:
        yield unplaced(f'"{path}" must validate at least one schema (anyOf)')
        yield from found[0]


def _one_of(found: list[list[FieldError]], valid: int, path: str) -> Iterator[FieldError]:
    if valid == 1:
        return
    why = f"Found {valid} valid alternatives" if valid else "Found none valid"
    yield unplaced(f'"{path}" must validate one and only one schema (oneOf). {why}')
    if not valid:
        yield from found[0]


def _all_of(found: list[list[FieldError]], valid: int, path: str) -> Iterator[FieldError]:
    for errors in found:
        yield from errors
    if valid < len(found):
        more = "" if valid else ". None validated"
        yield unplaced(f'"{path}" must validate all the schemas (allOf){more}')


_JUDGES: Final = {"allOf": _all_of, "anyOf": _any_of, "oneOf": _one_of}


def is_int_or_string(node: Node) -> bool:
    """Tell whether a place takes integers and strings."""
    return node.types == INT_OR_STRING
