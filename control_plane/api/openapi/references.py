"""Which definitions a document needs: those it names and all that these are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.schema import REFERENCE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from control_plane.api.objects import Object


def closure(definitions: Mapping[str, Object], names: Iterable[str]) -> list[str]:
    """Return the names and everything reachable from them, sorted."""
    pending, found = list(names), set[str]()
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(_references(definitions[name]))
    return sorted(found)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.removeprefix(REFERENCE_PREFIX)
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)
