"""The two ways a default fills a field.

Upstream's optional fields come in two kinds: pointers, defaulted only when absent (an explicit 0 or
"" stays), and plain values, defaulted when they hold their zero. The table functions of this
package pick one by name. Called only within this package. Changes objects in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def fill_absent(owner: Object, field: str, value: Any) -> None:
    """Set a pointer field that is absent or null."""
    if owner.get(field) is None:
        owner[field] = value


def fill_empty(owner: Object, field: str, value: Any) -> None:
    """Set a plain field that is absent, null or its zero value."""
    if not owner.get(field):
        owner[field] = value


def part(owner: Object, field: str) -> Object:
    """Return the object at `field`, making an empty one when there is none."""
    fill_absent(owner, field, {})
    found: Object = owner[field]
    return found
