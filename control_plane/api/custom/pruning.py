"""Pruning: fields that the schema does not know are dropped, and named to whoever wants to hear.

Source: apiextensions structural schema pruning, v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from control_plane.api.custom.structural import Node

TYPE_META: Final = frozenset({"apiVersion", "kind", "metadata"})


def prune(
    value: Any, node: Node | None, unknown: list[str], path: str = "", *, root: bool = False
) -> bool:
    """Drop from `value`, in place, what the schema does not have; True when something was dropped.

    The paths of what is dropped are added to `unknown`. At a `root`, as in every embedded
    resource, apiVersion, kind and metadata stay.
    """
    if isinstance(value, dict):
        return _prune_object(value, node, unknown, path, keeps_identity=root or _embeds(node))
    if isinstance(value, list):
        items = node.items if node is not None else None
        if items is None and node is not None and node.preserves:
            return False
        pruned = [
            prune(item, items, unknown, f"{path}[{index}]") for index, item in enumerate(value)
        ]
        return any(pruned)
    return False


def _embeds(node: Node | None) -> bool:
    return node is not None and node.is_embedded


def _prune_object(
    value: dict[str, Any], node: Node | None, unknown: list[str], path: str, *, keeps_identity: bool
) -> bool:
    pruned, lost = False, []
    for key, member in value.items():
        if keeps_identity and key in TYPE_META:
            continue
        below = f"{path}.{key}" if path else key
        known = node.properties.get(key) if node is not None else None
        if known is not None:
            pruned |= prune(member, known, unknown, below)
        elif node is not None and node.is_map:
            pruned |= prune(member, node.extra, unknown, below)
        elif node is None or not node.preserves:
            lost.append(key)
            unknown.append(below)
    for key in lost:
        del value[key]
    return pruned or bool(lost)
