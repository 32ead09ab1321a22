"""Rules of tolerations, topology spread and scheduling gates.

Called by pod_spec.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.internal_form import internal_form
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    NOT_POSITIVE,
    duplicate,
    invalid,
    invalid_each,
    not_supported,
    one_of,
    required,
)
from control_plane.api.validation.labels import validate_selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_SPREAD_ACTIONS: Final = ("DoNotSchedule", "ScheduleAnyway")


def validate_tolerations(tolerations: list[Object], path: str) -> Iterator[FieldError]:
    """Check the tolerations of a pod."""
    for index, toleration in enumerate(tolerations):
        yield from _validate_toleration(toleration, f"{path}[{index}]")


def _validate_toleration(toleration: Object, path: str) -> Iterator[FieldError]:
    key, operator = toleration.get("key") or "", toleration.get("operator") or ""
    effect = toleration.get("effect") or ""
    if key:
        yield from invalid_each(f"{path}.key", key, formats.qualified_name(key))
    elif operator != "Exists":
        detail = (
            "operator must be Exists when `key` is empty, "
            'which means "match all values and all keys"'
        )
        yield invalid(f"{path}.operator", operator, detail)
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid(f"{path}.effect", effect, detail)
    yield from _validate_operator(toleration, path)
    if effect and effect not in EFFECTS:
        yield not_supported(f"{path}.effect", effect, EFFECTS)


def _validate_operator(toleration: Object, path: str) -> Iterator[FieldError]:
    operator, value = toleration.get("operator") or "", toleration.get("value") or ""
    if operator in ("", "Equal"):
        messages = formats.label_value(value)
        if messages:
            yield invalid(f"{path}.operator", value, ";".join(messages))
    elif operator == "Exists":
        if value:
            detail = "value must be empty when `operator` is 'Exists'"
            yield invalid(f"{path}.operator", internal_form("Toleration", toleration), detail)
    else:
        yield not_supported(f"{path}.operator", operator, ("Equal", "Exists"))


def validate_spread(constraints: list[Object], path: str) -> Iterator[FieldError]:
    """Check the topology spread constraints of a pod."""
    seen: set[tuple[str, str]] = set()
    for index, constraint in enumerate(constraints):
        where = f"{path}[{index}]"
        skew = constraint.get("maxSkew") or 0
        key, action = constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""
        if skew <= 0:
            yield invalid(f"{where}.maxSkew", skew, NOT_POSITIVE)
        if not key:
            yield required(f"{where}.topologyKey", "can not be empty")
        yield from invalid_each(f"{where}.topologyKey", key, formats.qualified_name(key))
        if action not in _SPREAD_ACTIONS:
            yield not_supported(f"{where}.whenUnsatisfiable", action, _SPREAD_ACTIONS)
        if (key, action) in seen:
            shown = f"{{{key}, {action}}}"
            yield duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", shown)
        seen.add((key, action))
        yield from _validate_spread_details(constraint, action, where)


def _validate_spread_details(constraint: Object, action: str, path: str) -> Iterator[FieldError]:
    domains = constraint.get("minDomains")
    if domains is not None:
        if domains <= 0:
            yield invalid(f"{path}.minDomains", domains, NOT_POSITIVE)
        if action != "DoNotSchedule":
            detail = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            yield invalid(f"{path}.minDomains", domains, detail)
    for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        policy = constraint.get(field)
        yield from one_of(f"{path}.{field}", policy, ("Honor", "Ignore"), optional=True)
    yield from validate_selector(constraint.get("labelSelector"), f"{path}.labelSelector")


def validate_gates(gates: list[Object], path: str) -> Iterator[FieldError]:
    """Check the scheduling gates of a pod."""
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        name = gate.get("name") or ""
        yield from invalid_each(f"{path}[{index}]", name, formats.qualified_name(name))
        if name in seen:
            yield duplicate(f"{path}[{index}]", name)
        seen.add(name)
