"""Labels and label selectors.

Called by every validator that has labels or a selector. Source: v1.35 apimachinery metav1
validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import forbidden, invalid, invalid_each, required

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_WITH_VALUES: Final = ("In", "NotIn")
_WITHOUT_VALUES: Final = ("Exists", "DoesNotExist")


def validate_labels(labels: Mapping[str, Any] | None, path: str) -> Iterator[FieldError]:
    """Check every key and value; errors stand at `path` itself, as upstream has it."""
    for key, value in (labels or {}).items():
        yield from invalid_each(path, key, formats.qualified_name(key))
        yield from invalid_each(path, value, formats.label_value(value))


def validate_selector(selector: Object | None, path: str) -> Iterator[FieldError]:
    """Check a LabelSelector; an absent one passes."""
    if selector is None:
        return
    yield from validate_labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for index, requirement in enumerate(selector.get("matchExpressions") or []):
        yield from validate_requirement(requirement, f"{path}.matchExpressions[{index}]")


def validate_requirement(requirement: Object, path: str) -> Iterator[FieldError]:
    """Check one requirement of a selector: its operator, key and values."""
    operator = requirement.get("operator", "")
    values = requirement.get("values") or []
    if operator in _WITH_VALUES:
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in _WITHOUT_VALUES:
        if values:
            yield forbidden(
                f"{path}.values",
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    key = requirement.get("key", "")
    yield from invalid_each(f"{path}.key", key, formats.qualified_name(key))
    for index, value in enumerate(values):
        yield from invalid_each(f"{path}.values[{index}]", value, formats.label_value(value))


def is_empty_selector(selector: Object) -> bool:
    """Tell whether a selector selects everything, for want of requirements."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")
