"""Fields that a status always has: numbers, flags and structs that are no pointers in Go.

A new ReplicaSet has "replicas": 0 and a new PodDisruptionBudget four zeros, and clients with types
of their own refuse an object without them. Called by strategies.py for every write.
"""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

from control_plane.api.apply.go_zeros import zeros_of
from control_plane.api.schema import REFERENCE_PREFIX, schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.objects import Object
    from control_plane.api.resource import Resource


def fill_status(resource: Resource, obj: Object) -> None:
    """Add to the status, in place, what it lacks of the fields that it always has."""
    if resource.custom is not None:
        return
    zeros = _status_zeros(resource.api_version, resource.kind)
    if zeros:
        _fill(obj.setdefault("status", {}), zeros)


def _fill(target: Object, zeros: Mapping[str, Any]) -> None:
    for field, zero in zeros.items():
        if target.get(field) is None:
            target[field] = copy.deepcopy(zero)
        elif isinstance(zero, dict) and isinstance(target[field], dict):
            _fill(target[field], zero)


@functools.cache
def _status_zeros(api_version: str, kind: str) -> Mapping[str, Any]:
    definition = schema().definition_for(api_version, kind) or {}
    status = (definition.get("properties") or {}).get("status")
    return _zeros(status) if status is not None else {}


def _zeros(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return the zeros of a struct, those of structs within it included; lists are left out."""
    definition = schema().resolve(node)
    fields = definition.get("properties") or {}
    name = str(node.get("$ref", "")).removeprefix(REFERENCE_PREFIX)
    found = {}
    for field, zero in zeros_of(name, definition).items():
        if zero == {}:
            found[field] = _zeros(fields[field])
        elif zero is not None:
            found[field] = zero
    return found
