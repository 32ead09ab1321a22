"""What the server sets, keeps and counts when custom resources are written.

Source: apiextensions customresource strategy, v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.preparation.strategy import (
    Strategy,
    bump_generation,
    first_generation,
    keep,
    nothing_on_create,
)

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_IDENTITY: Final = frozenset({"apiVersion", "kind", "metadata"})


def _create(obj: Object, now: str) -> None:
    first_generation(obj, now)


def _create_without_status(obj: Object, now: str) -> None:
    obj.pop("status", None)
    first_generation(obj, now)


def _update(new: Object, old: Object, _now: str) -> None:
    """Count any change outside metadata."""
    if _differs(new, old, _IDENTITY):
        bump_generation(new, old)


def _update_without_status(new: Object, old: Object, _now: str) -> None:
    """Keep the stored status, and count changes of all else."""
    keep(new, old, "status")
    if _differs(new, old, _IDENTITY | {"status"}):
        bump_generation(new, old)


def _update_status(new: Object, old: Object, _now: str) -> None:
    """Keep all but the status, and who owns what."""
    metadata = {**(old.get("metadata") or {})}
    sent = new.get("metadata") or {}
    for field in ("managedFields", "resourceVersion"):
        keep(metadata, sent, field)
    for field in [*new]:
        if field not in ("status", "apiVersion", "kind"):
            del new[field]
    for field in old:
        if field not in ("status", "apiVersion", "kind"):
            keep(new, old, field)
    new["metadata"] = metadata


def _differs(new: Object, old: Object, ignored: frozenset[str]) -> bool:
    return any(new.get(key) != old.get(key) for key in (new.keys() | old.keys()) - ignored)


_PLAIN: Final = Strategy(_create, _update, unconditional_update=False)
_MAIN: Final = Strategy(_create_without_status, _update_without_status, unconditional_update=False)
_STATUS: Final = Strategy(nothing_on_create, _update_status, unconditional_update=False)


def strategy_of(subresource: str, *, has_status: bool) -> Strategy:
    """Return how custom resources are written through an endpoint; "scale" writes as the main."""
    if subresource == "status":
        return _STATUS
    return _MAIN if has_status else _PLAIN
