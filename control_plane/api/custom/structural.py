"""Structural schemas, compiled: one Node for each place of a custom resource.

Pruning, defaulting, validation and shapes walk nodes and never the JSON of the schema. A node below
anyOf and the like has no type; its checks alone count. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.custom.rules import rules_of
from control_plane.api.custom.value_checks import checks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.custom.rules import Rule
    from control_plane.api.custom.value_checks import Check

EXTENSION: Final = "x-kubernetes-"
INT_OR_STRING: Final = ("integer", "string")
COMBINATIONS: Final = ("allOf", "anyOf", "oneOf")


class _Missing:
    """The value of what is not there."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


class Node:
    """One place of a schema.

    `types` is empty where any type goes. `extra` is the node of the values of other keys, `is_map`
    whether other keys are allowed at all. `default` is MISSING without one. `has_rules` tells of
    expressions here or below; `source` is the schema itself.
    """

    __slots__ = (
        "_compiled",
        "alternatives",
        "checks",
        "default",
        "extra",
        "has_rules",
        "is_atomic_map",
        "is_embedded",
        "is_map",
        "is_root",
        "items",
        "list_keys",
        "list_type",
        "never",
        "nullable",
        "preserves",
        "properties",
        "required",
        "source",
        "types",
    )  # fmt: skip

    def __init__(self, schema: Mapping[str, Any], *, is_root: bool = False) -> None:
        """Compile a schema in the JSON form of CustomResourceDefinitions."""
        self._compiled: tuple[Rule, ...] | None = None
        self.is_root = is_root
        self.source = schema
        is_either = schema.get(f"{EXTENSION}int-or-string") is True
        kind = schema.get("type") or ""
        self.types: tuple[str, ...] = INT_OR_STRING if is_either else (kind,) if kind else ()
        self.properties = {k: Node(v) for k, v in (schema.get("properties") or {}).items()}
        extra = schema.get("additionalProperties")
        self.extra = Node(extra) if isinstance(extra, dict) else None
        self.is_map = self.extra is not None or extra is True
        items = schema.get("items")
        self.items = Node(items) if isinstance(items, dict) else None
        self.nullable = schema.get("nullable") is True
        self.default: Any = schema.get("default", MISSING)
        if self.default is None and not self.nullable:
            self.default = MISSING
        self.preserves = schema.get(f"{EXTENSION}preserve-unknown-fields") is True
        self.is_embedded = schema.get(f"{EXTENSION}embedded-resource") is True
        self.list_type = schema.get(f"{EXTENSION}list-type") or "atomic"
        self.list_keys = tuple(schema.get(f"{EXTENSION}list-map-keys") or ())
        self.is_atomic_map = schema.get(f"{EXTENSION}map-type") == "atomic"
        self.required = tuple(schema.get("required") or ())
        self.checks: tuple[Check, ...] = checks_of(schema)
        self.alternatives = _combinations(schema, is_either=is_either)
        refused = schema.get("not")
        self.never = Node(refused) if isinstance(refused, dict) else None
        self.has_rules: bool = bool(schema.get(f"{EXTENSION}validations")) or any(
            node.has_rules for node in self.children()
        )

    def children(self) -> list[Node]:
        """Return the nodes below: of fields, of other keys, of items."""
        below = [*self.properties.values()]
        below += [node for node in (self.extra, self.items) if node is not None]
        return below

    def child(self, key: str) -> Node | None:
        """Return the node of a key's value; None where nothing is declared."""
        return self.properties.get(key, self.extra)

    @property
    def compiled_rules(self) -> tuple[Rule, ...]:
        """The rules of this place alone, compiled when first asked for."""
        if self._compiled is None:
            self._compiled = rules_of(self.source, is_resource=self.is_root)
        return self._compiled


def _combinations(
    schema: Mapping[str, Any], *, is_either: bool
) -> tuple[tuple[str, tuple[Node, ...]], ...]:
    """Return ("anyOf", nodes) and the like; what int-or-string says already is left out."""
    found = []
    for word in COMBINATIONS:
        options = schema.get(word) or ()
        if is_either:
            options = [option for option in options if not _says_either(option)]
            if word == "anyOf" and all(set(option) == {"type"} for option in options):
                continue
        if options:
            found.append((word, tuple(Node(option) for option in options)))
    return tuple(found)


def _says_either(option: Mapping[str, Any]) -> bool:
    any_of = option.get("anyOf")
    return set(option) == {"anyOf"} and all(set(one) == {"type"} for one in any_of or ())
