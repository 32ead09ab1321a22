"""Rules of priority classes.

Called through the VALIDATORS table. Source: v1.35 scheduling/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import name_of
from control_plane.api.validation.field_errors import IMMUTABLE, forbidden, invalid, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

HIGHEST_USER_PRIORITY: Final = 1_000_000_000
SYSTEM_PREFIX: Final = "system-"
SYSTEM_CLASSES: Final = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}
_POLICIES: Final = ("PreemptLowerPriority", "Never")


def validate_priority_class(priority_class: Object) -> Iterator[FieldError]:
    """Check a new PriorityClass: names of the system's own come with its values."""
    name, value = name_of(priority_class), priority_class.get("value") or 0
    if name.startswith(SYSTEM_PREFIX):
        trouble = _system_trouble(name, value, bool(priority_class.get("globalDefault")))
        if trouble:
            detail = (
                f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use "
                f"only. error: {trouble}"
            )
            yield forbidden("metadata.name", detail)
    elif value > HIGHEST_USER_PRIORITY:
        detail = f"maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}"
        yield forbidden("value", detail)
    policy = priority_class.get("preemptionPolicy")
    if policy is not None:
        yield from one_of("preemptionPolicy", policy, _POLICIES)


def _system_trouble(name: str, value: int, is_default: bool) -> str:
    known = SYSTEM_CLASSES.get(name)
    if known is None:
        return f"{name} is not a known system priority class"
    if value != known:
        return f"value of {name} PriorityClass must be {known}"
    return f"globalDefault of {name} PriorityClass must be false" if is_default else ""


def validate_priority_class_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a PriorityClass: pods hold its value, so it stays."""
    if (new.get("value") or 0) != (old.get("value") or 0):
        yield forbidden("value", "may not be changed in an update.")
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        yield invalid("preemptionPolicy", new.get("preemptionPolicy"), IMMUTABLE)
