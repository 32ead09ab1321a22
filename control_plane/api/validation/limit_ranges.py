"""Rules of limit ranges.

Called through the VALIDATORS table. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    duplicate,
    forbidden,
    invalid,
    invalid_each,
    required,
)
from control_plane.api.validation.quantities import (
    allows_overcommit,
    amount_of,
    validate_container_resource_name,
    validate_resource_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_TYPES: Final = ("Pod", "Container", "PersistentVolumeClaim")
_DEFAULTS: Final = ("default", "defaultRequest")
# The first must not be greater than the second: (field, other, field of the error, its text).
_ORDER: Final = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest",
     "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest",
     "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest",
     "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min value {} is greater than default value {}"),
    ("default", "max", "default", "default value {} is greater than max value {}"),
)  # fmt: skip
# Whose value an error of _ORDER shows, where it is not that of its own field.
_SHOWN: Final = {("min", "default"): "min", ("default", "max"): "max"}


def validate_limit_range(limit_range: Object) -> Iterator[FieldError]:
    """Check a LimitRange: one item for each type of thing, each consistent with itself."""
    seen: set[str] = set()
    for index, item in enumerate((limit_range.get("spec") or {}).get("limits") or []):
        path, kind = f"spec.limits[{index}]", item.get("type") or ""
        messages = formats.qualified_name(kind)
        yield from invalid_each(f"{path}.type", kind, messages)
        if not messages and "/" not in kind and kind not in _TYPES:
            detail = "must be a standard limit type or fully qualified"
            yield invalid(f"{path}.type", kind, detail)
        if kind in seen:
            yield duplicate(f"{path}.type", kind)
        seen.add(kind)
        yield from _validate_item(item, kind, path)


def _validate_item(item: Object, kind: str, path: str) -> Iterator[FieldError]:
    named = ["max", "min"]
    if kind == "Pod":
        for field in _DEFAULTS:
            if item.get(field):
                yield forbidden(f"{path}.{field}", "may not be specified when `type` is 'Pod'")
    else:
        named += _DEFAULTS
    named.append("maxLimitRequestRatio")
    for field in named:
        for name in item.get(field) or {}:
            yield from _validate_name(name, kind, f"{path}.{field}[{name}]")
    if kind == "PersistentVolumeClaim":
        storage = [(item.get(field) or {}).get("storage") for field in ("min", "max")]
        if storage == [None, None]:
            detail = "either minimum or maximum storage value is required, but neither was provided"
            yield required(f"{path}.limits", detail)
    names = {name: None for field in named for name in item.get(field) or {}}
    for name in names:
        limits = {field: (item.get(field) or {}).get(name) for field in named}
        yield from _validate_order(name, limits, path)
        yield from _validate_ratio(name, limits, path)


def _validate_name(name: str, kind: str, path: str) -> Iterator[FieldError]:
    if kind in ("Pod", "Container"):
        yield from validate_container_resource_name(name, path)
    else:
        yield from validate_resource_name(name, path)


def _validate_order(name: str, limits: dict[str, Any], path: str) -> Iterator[FieldError]:
    for low, high, field, text in _ORDER:
        one, other = limits.get(low), limits.get(high)
        if one is None or other is None or amount_of(one) <= amount_of(other):
            continue
        shown = limits[_SHOWN.get((low, high), field)]
        yield invalid(f"{path}.{field}[{name}]", str(shown), text.format(one, other))
    default, request = limits.get("default"), limits.get("defaultRequest")
    if default is None or request is None or allows_overcommit(name):
        return
    if amount_of(default) != amount_of(request):
        detail = f"default value {default} must equal to defaultRequest value {request} in {name}"
        yield invalid(f"{path}.defaultRequest[{name}]", str(request), detail)


def _validate_ratio(name: str, limits: dict[str, Any], path: str) -> Iterator[FieldError]:
    ratio = limits.get("maxLimitRequestRatio")
    if ratio is None:
        return
    where = f"{path}.maxLimitRequestRatio[{name}]"
    if amount_of(ratio) < 1:
        yield invalid(where, str(ratio), f"ratio {ratio} is less than 1")
    low, high = limits.get("min"), limits.get("max")
    if low is None or high is None or amount_of(low) <= 0:
        return
    most = float(amount_of(high)) / float(amount_of(low))
    if float(amount_of(ratio)) > most:
        yield invalid(where, str(ratio), f"ratio {ratio} is greater than max/min = {most:f}")
