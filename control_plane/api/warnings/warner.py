"""A row of WARNINGS: what one kind warns of.

Called by the package's entry points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from control_plane.api.objects import Object


def nothing_on_create(_obj: Object) -> Iterable[str]:
    """Warn of nothing."""
    return ()


def nothing_on_update(_new: Object, _old: Object) -> Iterable[str]:
    """Warn of nothing."""
    return ()


@dataclass(frozen=True, slots=True)
class Warner:
    """on_create: (object); on_update: (new, old)."""

    on_create: Callable[[Object], Iterable[str]] = nothing_on_create
    on_update: Callable[[Object, Object], Iterable[str]] = nothing_on_update


def on_both(warn: Callable[[Object], Iterable[str]]) -> Warner:
    """Return a row that warns of the same in a create and an update."""
    return Warner(warn, lambda new, _old: warn(new))
