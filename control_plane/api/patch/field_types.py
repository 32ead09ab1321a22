"""What a strategic merge needs to know of a field: its sub-fields, and how its lists merge.

`FieldType` reads the patch strategies and merge key of one schema node; `PLAIN` stands for
everything the schema does not know, which merges as plain JSON. Called by strategic_merge.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class FieldType:
    """One schema node, with references followed. Immutable and cheap: made while a
    patch is merged.
    """

    __slots__ = ("_node", "_resolve", "_target", "merge_key", "merges", "name", "replaces")

    def __init__(
        self,
        node: Mapping[str, Any],
        resolve: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        name: str = "",
    ) -> None:
        """`resolve` follows a node's $ref; patch strategies stand beside the reference, on `node`
        itself.
        """
        strategies = str(node.get("x-kubernetes-patch-strategy", "")).split(",")
        self._node = node
        self._resolve = resolve
        self._target = resolve(node)
        self.name = name
        self.merge_key: str = node.get("x-kubernetes-patch-merge-key", "")
        self.merges = "merge" in strategies
        self.replaces = "replace" in strategies

    def field(self, name: str) -> FieldType:
        """Return the type of a sub-field, or of a map's values; PLAIN for what the schema does not
        know.
        """
        found = self._target.get("properties", {}).get(name)
        if found is None:
            found = self._target.get("additionalProperties")
        return FieldType(found, self._resolve, name) if isinstance(found, dict) else PLAIN

    @property
    def element(self) -> FieldType:
        """The type of this list's items."""
        found = self._target.get("items")
        return FieldType(found, self._resolve, self.name) if isinstance(found, dict) else PLAIN


PLAIN: Final = FieldType({}, lambda node: node)
