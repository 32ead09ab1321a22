"""What all objects of a namespace use together of what one quota counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.quota.amounts import total

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from control_plane.api.objects import Object
    from control_plane.api.quota.countables import Countable
    from control_plane.api.quota.scopes import Scope


def usage_of(
    countable: Countable,
    hard: Iterable[str],
    scopes: tuple[Scope, ...],
    objects: Iterable[Object],
    now: datetime,
) -> dict[str, str]:
    """Return as quantities what objects of one kind use of the resources in `hard`."""
    used = dict.fromkeys(countable.names(hard), "0")
    if not used:
        return used
    for obj in objects:
        if countable.matches(obj, scopes):
            usage = countable.usage(obj, now)
            for name in used:
                if name in usage.amounts:
                    used[name] = total(used[name], usage, name)
    return used
