"""A manager's set brought in line with a schema that has changed since it was written.

What has become atomic is owned as a whole; what was owned as a whole and has become granular is
owned with everything that is in it now. Called by tracking.py and applying.py before each
operation, for every manager. Pure.
"""

from __future__ import annotations

from typing import Any

from control_plane.api.apply.field_path import FIELD
from control_plane.api.apply.field_set import LEAF, SELF, FieldSet
from control_plane.api.apply.owned import owned_fields
from control_plane.api.apply.shapes import ListShape, Scalar, Shape, child_of, concrete

_MISSING: Any = object()


def reconciled(shape: Shape, fields: FieldSet, live: Any) -> FieldSet:
    """Return the set as the schema has it now; the same object when it is as it should be."""
    result = fields
    for element, node in fields.items():
        child = None if element == SELF else child_of(shape, element)
        if child is None:
            continue
        kept = _reconciled_node(child, element, node, (shape, live))
        if kept is not node:
            result = dict(fields) if result is fields else result
            result[element] = kept
    return result


def _reconciled_node(
    shape: Shape, element: str, node: FieldSet, parent: tuple[Shape, Any]
) -> FieldSet:
    if isinstance(shape, Scalar):
        return node
    value = _step(parent, element)
    walked = concrete(shape, None if value is _MISSING else value)
    if isinstance(walked, Scalar):
        return node
    if walked.is_atomic:
        return LEAF if node else node
    if node:
        return reconciled(walked, node, value)
    inside = owned_fields(walked, value) if value is not _MISSING and value else {}
    return {SELF: LEAF, **inside} if inside else node


def _step(parent: tuple[Shape, Any], element: str) -> Any:
    """Return the value one element further, _MISSING where there is none."""
    shape, value = parent
    if isinstance(value, dict) and element.startswith(FIELD):
        return value.get(element[2:], _MISSING)
    if isinstance(value, list) and isinstance(shape, ListShape) and not shape.is_atomic:
        return next((item for item in value if shape.item_element(item) == element), _MISSING)
    return _MISSING
