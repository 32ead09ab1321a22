"""What a strategic merge needs to know of a field: its sub-fields, and how its lists merge.

`FieldType` is a view of one schema node; `PLAIN` stands for everything the schema does not know,
which merges as plain JSON. Called by strategic_merge.py; `object_type` by the API server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.schema import Schema, patch_merge_key, patch_strategies, schema

if TYPE_CHECKING:
    from collections.abc import Mapping


class FieldType:
    """One schema node. Immutable and cheap: made while a patch is merged.

    merges, replaces: the field's patch strategy; merge_key: what tells a list's items apart, "" for
    lists of scalars. Strategies stand beside a $ref, on the field itself.
    """

    __slots__ = ("_node", "_schema", "merge_key", "merges", "name", "replaces")

    def __init__(self, known: Schema, node: Mapping[str, Any], name: str = "") -> None:
        """`node` is an object's definition or a field, as written; `name` is for messages."""
        strategies = patch_strategies(node)
        self._schema = known
        self._node = node
        self.name = name
        self.merge_key = patch_merge_key(node) or ""
        self.merges = "merge" in strategies
        self.replaces = "replace" in strategies

    def field(self, name: str) -> FieldType:
        """Return the type of a sub-field or of a map's values; PLAIN where it is not known."""
        found = self._schema.field(self._node, name)
        return PLAIN if found is None else FieldType(self._schema, found, name)

    @property
    def element(self) -> FieldType:
        """The type of this list's items."""
        found = self._schema.resolve(self._node).get("items")
        return FieldType(self._schema, found, self.name) if isinstance(found, dict) else PLAIN


PLAIN: Final = FieldType(Schema({}), {})


def object_type(api_version: str, kind: str) -> FieldType:
    """Return the type of a kind's objects, PLAIN for a kind without a definition."""
    known = schema()
    definition = known.definition_for(api_version, kind)
    return PLAIN if definition is None else FieldType(known, definition, kind)
