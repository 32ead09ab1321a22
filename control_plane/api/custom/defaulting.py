"""Defaulting: what the schema gives to what is left out, and what becomes of nulls.

A null stays where it may stand; elsewhere it gives way to the default, or to absence. Idempotent.
Source: apiextensions structural schema defaulting, v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.custom.structural import MISSING

if TYPE_CHECKING:
    from control_plane.api.custom.structural import Node


def fill(value: Any, node: Node) -> bool:
    """Drop nulls and set defaults, in place; True when something has changed."""
    if isinstance(value, dict):
        return _fill_object(value, node)
    if isinstance(value, list) and node.items is not None:
        return _fill_list(value, node.items)
    return False


def _fill_object(value: dict[str, Any], node: Node) -> bool:
    changed, dropped = False, []
    for key, member in value.items():
        known = node.child(key)
        if member is None and known is not None and not known.nullable:
            if known.default is MISSING:
                dropped.append(key)
            else:
                value[key] = copied(known.default)
            changed = True
    for key in dropped:
        del value[key]
    for key, known in node.properties.items():
        if known.default is not MISSING and key not in value:
            value[key] = copied(known.default)
            changed = True
    for key, member in value.items():
        known = node.child(key)
        if known is not None and member.__class__ in (dict, list):
            changed |= fill(member, known)
    return changed


def _fill_list(value: list[Any], items: Node) -> bool:
    changed = False
    for index, item in enumerate(value):
        if item is None and not items.nullable and items.default is not MISSING:
            value[index] = item = copied(items.default)
            changed = True
        changed |= fill(item, items)
    return changed


def copied(value: Any) -> Any:
    """Return a copy of a JSON value that shares nothing with it."""
    if isinstance(value, dict):
        return {key: copied(member) for key, member in value.items()}
    if isinstance(value, list):
        return [copied(member) for member in value]
    return value
