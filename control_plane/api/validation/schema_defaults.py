"""Defaults in the schemas of custom resources: each must itself be what its schema asks for.

Called by custom_resource_schemas.py for structural schemas. Source: v1.35 apiextensions structural
defaulting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from control_plane.api.custom.defaulting import copied
from control_plane.api.custom.embedded import (
    embedded_violations,
    metadata_violations,
    read_metadata,
)
from control_plane.api.custom.pruning import TYPE_META, prune
from control_plane.api.custom.rule_validation import RuleCheck
from control_plane.api.custom.structural import INT_OR_STRING, MISSING, Node
from control_plane.api.custom.value_validation import violations
from control_plane.api.field_error import FieldError, aggregate
from control_plane.api.typed_scalars import TypeMismatch
from control_plane.api.validation.field_errors import forbidden, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Surround = Callable[[Any], Any]
_UNPLACED: Final = "<nil>"
_IN_METADATA: Final = "inside additionalProperties applying to object metadata"
_BAD_METADATA: Final = "must result in valid metadata"


class _Place(NamedTuple):
    """Where a default stands; `surround` makes a whole object of one that is in metadata."""

    path: str
    surround: Surround
    is_metadata: bool = False

    def below(self, step: str, surround: Surround, *, is_metadata: bool) -> _Place:
        """Return a place below this, around which `surround` puts what is between."""
        outer = self.surround
        return _Place(f"{self.path}{step}", lambda value: outer(surround(value)), is_metadata)


def validate_defaults(schema: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """Check every default of a whole schema; those in additionalProperties are not looked at."""
    root = Node(schema, is_root=True)
    yield from _validate(root, _Place(path, _as_object))
    yield from _misplaced(root, path, "")


def _misplaced(
    node: Node, path: str, where: str, *, is_metadata: bool = False
) -> Iterator[FieldError]:
    """Refuse defaults in what every object has, and in additionalProperties of its metadata."""
    if where and node.default is not MISSING:
        yield forbidden(f"{path}.default", f"must not be set {where}")
    for name, child in sorted(node.properties.items()):
        is_own = (node.is_root or node.is_embedded) and name in TYPE_META
        below = f"in top-level {name}" if node.is_root and is_own else where
        step = f"{path}.properties[{name}]"
        yield from _misplaced(child, step, below, is_metadata=is_metadata or is_own)
    if node.items is not None:
        yield from _misplaced(node.items, f"{path}.items", where, is_metadata=is_metadata)
    if node.extra is not None:
        below = _IN_METADATA if is_metadata else where
        step = f"{path}.additionalProperties"
        yield from _misplaced(node.extra, step, below, is_metadata=is_metadata)


def _as_object(value: Any) -> Any:
    return {"apiVersion": "validation/v1", "kind": "Validation", **value}


def _validate(node: Node, place: _Place) -> Iterator[FieldError]:
    is_resource = node.is_embedded or node.is_root
    if is_resource:
        place = _Place(place.path, _as_object)
    if node.default is not MISSING and node.default is not None:
        check = _in_metadata if place.is_metadata else _in_value
        yield from check(node, place)
    if node.items is not None:
        below = place.below(".items", lambda value: [value], is_metadata=place.is_metadata)
        yield from _validate(node.items, below)
    for name, child in sorted(node.properties.items()):
        is_metadata = place.is_metadata or (is_resource and name in TYPE_META)
        step = f".properties[{name}]"
        yield from _validate(child, place.below(step, _within(name), is_metadata=is_metadata))


def _within(name: str) -> Surround:
    return lambda value: {name: value}


def _in_value(node: Node, place: _Place) -> Iterator[FieldError]:
    where = f"{place.path}.default"
    pruned = copied(node.default)
    if prune(pruned, node, []):
        yield invalid(where, node.default, "must not have unknown fields")
    embedded = list(embedded_violations(node, node.default, where))
    yield from embedded or _of_schema(node, where)


def _in_metadata(node: Node, place: _Place) -> Iterator[FieldError]:
    where, obj = f"{place.path}.default", place.surround(copied(node.default))
    try:
        read_metadata(obj, [], "")
    except TypeMismatch as error:
        trouble = invalid("metadata", obj.get("metadata"), str(error))
        yield invalid(where, node.default, f"{_BAD_METADATA}: {trouble}")
        return
    found = list(metadata_violations(obj, ""))
    if found:
        yield invalid(where, node.default, f"{_BAD_METADATA}: {aggregate(found)}")
    else:
        yield from _of_schema(node, where)


def _of_schema(node: Node, where: str) -> Iterator[FieldError]:
    """Yield what the schema of a default has against it, or else its rules.

    Upstream lets an int-or-string have a default of any type.
    """
    default = node.default
    found = [] if node.types == INT_OR_STRING else list(violations(node, default))
    if not found and node.has_rules:
        check = RuleCheck(node, default, default)
        found = [*check.errors, *check.warnings]
    for error in found:
        yield FieldError(error.type, _placed(error.field, where), error.detail, error.value)


def _placed(field: str, where: str) -> str:
    if field == _UNPLACED:
        return field
    return f"{where}.{field}" if field else where
