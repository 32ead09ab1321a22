"""A manager's set brought in line with a schema that has changed since it was written.

What has become atomic is owned as a whole. What was owned as a whole and has become granular is
left as it is. Called by tracking.py and applying.py before each operation, for every manager. Pure.
"""

from __future__ import annotations

from control_plane.api.apply.field_set import LEAF, SELF, FieldSet
from control_plane.api.apply.shapes import Free, Scalar, Shape, child_of


def reconciled(shape: Shape, fields: FieldSet) -> FieldSet:
    """Return the set as the schema has it now; the same object when it is as it should be."""
    result = fields
    for element, node in fields.items():
        child = None if element == SELF or not node else child_of(shape, element)
        if child is None or isinstance(child, Scalar | Free):
            continue
        kept = LEAF if child.is_atomic else reconciled(child, node)
        if kept is not node:
            result = dict(fields) if result is fields else result
            result[element] = kept
    return result
