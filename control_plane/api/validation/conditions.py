"""Rules of conditions in a status (metav1.Condition).

Called by the status rules of newer kinds. Source: v1.35 apimachinery metav1 validation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from control_plane.api.names import regex_message
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    duplicate,
    invalid,
    invalid_each,
    not_supported,
    required,
    too_long,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_REASON: Final = 1024
MAX_MESSAGE: Final = 32 * 1024
_STATUSES: Final = ("False", "True", "Unknown")
_REASON: Final = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_REASON_MESSAGE: Final = regex_message(
    "a condition reason must start with alphabetic character, optionally followed by a string of "
    "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
    _REASON, "my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB",
)  # fmt: skip


def validate_conditions(conditions: list[Object] | None, path: str) -> Iterator[FieldError]:
    """Check every condition, and that there is one of each type."""
    seen: set[str] = set()
    for index, condition in enumerate(conditions or []):
        where, kind = f"{path}[{index}]", condition.get("type") or ""
        if kind in seen:
            yield duplicate(f"{where}.type", kind)
        seen.add(kind)
        yield from _validate_condition(condition, kind, where)


def _validate_condition(condition: Object, kind: str, path: str) -> Iterator[FieldError]:
    yield from invalid_each(f"{path}.type", kind, formats.qualified_name(kind))
    status = condition.get("status") or ""
    if status not in _STATUSES:
        yield not_supported(f"{path}.status", status, _STATUSES)
    generation = condition.get("observedGeneration") or 0
    if generation < 0:
        detail = "must be greater than or equal to zero"
        yield invalid(f"{path}.observedGeneration", generation, detail)
    if not condition.get("lastTransitionTime"):
        yield required(f"{path}.lastTransitionTime")
    yield from _validate_texts(condition, path)


def _validate_texts(condition: Object, path: str) -> Iterator[FieldError]:
    reason = condition.get("reason") or ""
    if not reason:
        yield required(f"{path}.reason")
    else:
        if re.fullmatch(_REASON, reason, re.ASCII) is None:
            yield invalid(f"{path}.reason", reason, _REASON_MESSAGE)
        if len(reason.encode()) > MAX_REASON:
            yield too_long(f"{path}.reason", MAX_REASON)
    if len((condition.get("message") or "").encode()) > MAX_MESSAGE:
        yield too_long(f"{path}.message", MAX_MESSAGE)
