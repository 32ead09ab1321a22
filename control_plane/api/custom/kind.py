"""CustomKind: one version of a custom resource, as the tables of built-in kinds would have it.

Each table of what kinds do (defaults, strategies, validators, views, shapes, selectable fields,
conversions) asks a row's CustomKind before it looks into itself. Everything is compiled from the
schema at first use and kept. Pure.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.api_groups import ordered_versions
from control_plane.api.apply.endpoint import Endpoint
from control_plane.api.apply.field_path import FIELD
from control_plane.api.apply.field_set import set_of
from control_plane.api.custom import (
    columns,
    defaulting,
    preparation,
    pruning,
    reading,
    validation,
)
from control_plane.api.custom.scale_paths import ScalePaths
from control_plane.api.custom.shapes import shape_of
from control_plane.api.custom.structural import Node
from control_plane.api.objects import dig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.custom.definition import Definition
    from control_plane.api.objects import Object
    from control_plane.api.preparation.strategy import Strategy
    from control_plane.api.tables.columns import View
    from control_plane.api.typed_json import Typed
    from control_plane.api.validation.validator import Validator

_EMPTY: Final[Mapping[str, Any]] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_RESET: Final = {"": set_of((f"{FIELD}status",)), "status": set_of((f"{FIELD}spec",))}


class CustomKind:
    """One version of a definition's kind."""

    def __init__(self, definition: Definition, version: Object) -> None:
        """`version` is the entry of the spec without its schema."""
        self.definition = definition
        self.version: str = version["name"]
        self.kind: str = definition.names["kind"]
        self.api_version = f"{definition.group}/{self.version}"
        self.is_served = bool(version.get("served"))
        self.is_deprecated = bool(version.get("deprecated"))
        subresources = version.get("subresources") or {}
        self.has_status = subresources.get("status") is not None
        scale = subresources.get("scale")
        self.scale = ScalePaths.of(scale) if scale is not None else None
        self.columns = version.get("additionalPrinterColumns") or []
        self.selectable = [one["jsonPath"] for one in version.get("selectableFields") or []]
        self._warning = version.get("deprecationWarning")
        self._endpoints: dict[str, Endpoint] = {}

    @property
    def schema(self) -> Mapping[str, Any]:
        """The version's OpenAPI v3 schema; one that takes anything where there is none."""
        entry = self.definition.version(self.version)
        found: Mapping[str, Any] = dig(entry, "schema", "openAPIV3Schema", default=_EMPTY)
        return found

    @functools.cached_property
    def node(self) -> Node:
        """The compiled schema."""
        return Node(self.schema, is_root=True)

    def read(self, value: Object) -> Typed:
        """Return what a client has sent, pruned; raises TypeMismatch."""
        return reading.read_sent(value, self.node)

    def fill(self, obj: Object) -> None:
        """Set what is left out, in place."""
        defaulting.fill(obj, self.node)

    def from_stored(self, obj: Object) -> bool:
        """Make a stored object one of this version, in place, as the strategy None converts.

        True when it is not what was stored.
        """
        stored = str(obj.get("apiVersion")).rpartition("/")[2]
        changed = False
        other = self.definition.kinds.get(stored)
        if other is not None and other is not self:
            changed = reading.read_stored(obj, other.node)
        if obj.get("apiVersion") != self.api_version:
            obj["apiVersion"] = self.api_version
            changed = True
        return reading.read_stored(obj, self.node) or changed

    def to_stored(self, obj: Object) -> Object:
        """Return an object of this version as it is stored; the given one is not changed."""
        stored = self.definition.kinds.get(self.definition.storage_version)
        if stored is None or stored is self:
            return obj
        made = {**defaulting.copied(obj), "apiVersion": stored.api_version}
        pruning.prune(made, stored.node, [], root=True)
        return made

    @property
    def stored_api_version(self) -> str:
        """The apiVersion in which objects are stored from now on."""
        return f"{self.definition.group}/{self.definition.storage_version}"

    def strategy(self, subresource: str) -> Strategy:
        """Return how objects are written through an endpoint."""
        return preparation.strategy_of(subresource, has_status=self.has_status)

    def validator(self, subresource: str) -> Validator:
        """Return the rules of an endpoint."""
        return self._status_rules if subresource == "status" else self._rules

    @functools.cached_property
    def _rules(self) -> Validator:
        return validation.rules_of(self)

    @functools.cached_property
    def _status_rules(self) -> Validator:
        return validation.status_rules_of(self)

    def warnings_on_update(self, new: Object, old: Object) -> list[str]:
        """Return what the writer of a valid object should know."""
        return validation.warnings_on_update(self, new, old)

    @functools.cached_property
    def view(self) -> View:
        """How objects become rows."""
        return columns.view_of(self.columns)

    @functools.cached_property
    def fields(self) -> Mapping[str, Callable[[Object], str]]:
        """The selectable fields and their values in an object."""
        return {path.removeprefix("."): _getter(path) for path in self.selectable}

    @functools.cached_property
    def warning(self) -> str:
        """What every request for a deprecated version is warned of; "" for another."""
        if not self.is_deprecated:
            return ""
        if self._warning:
            return str(self._warning)
        text = f"{self.api_version} {self.kind} is deprecated"
        newer = self._successor()
        return f"{text}; use {self.definition.group}/{newer} {self.kind}" if newer else text

    def _successor(self) -> str:
        """Return the first version that clients prefer to this and that is not deprecated."""
        for name in ordered_versions(self.definition.kinds):
            if name == self.version:
                return ""
            other = self.definition.kinds[name]
            if other.is_served and not other.is_deprecated:
                return name
        return ""

    def endpoint(self, subresource: str) -> Endpoint:
        """Return what apply needs to know of an endpoint."""
        found = self._endpoints.get(subresource)
        if found is None:
            found = self._endpoints[subresource] = Endpoint(
                self.api_version,
                self.kind,
                shape_of(self.node),
                subresource,
                _RESET.get(subresource) if self.has_status else None,
                versions=frozenset(
                    kind.api_version for kind in self.definition.kinds.values() if kind.is_served
                ),
                reader=self.read,
            )
        return found


def _getter(path: str) -> Callable[[Object], str]:
    steps = [step for step in path.split(".") if step]

    def get(obj: Object) -> str:
        value = dig(obj, *steps, default="")
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    return get
