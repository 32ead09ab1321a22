"""The rules of a custom resource: its type, schema, lists, embedded resources and scale.

Source: apiextensions customresource validator, v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.custom.embedded import embedded_violations
from control_plane.api.custom.rule_validation import RuleCheck, blocked
from control_plane.api.custom.structural import MISSING
from control_plane.api.custom.uniqueness import repetitions
from control_plane.api.custom.value_validation import violations
from control_plane.api.field_error import FieldError, invalid
from control_plane.api.validation.validator import Validator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from control_plane.api.custom.kind import CustomKind
    from control_plane.api.objects import Object


def validator_of(kind: CustomKind, *, checks_scale: bool) -> Validator:
    """Return the rules of a kind."""

    def on_create(obj: Object) -> Iterator[FieldError]:
        yield from _violations(kind, obj, MISSING)
        if checks_scale and kind.scale is not None:
            yield from kind.scale.violations(obj)

    def on_update(new: Object, old: Object) -> Iterator[FieldError]:
        yield from _violations(kind, new, old)
        if checks_scale and kind.scale is not None:
            yield from kind.scale.violations(new)

    return Validator(on_create, on_update)


def _violations(kind: CustomKind, obj: Object, old: Any) -> Iterator[FieldError]:
    found = [
        *_type_violations(kind, obj),
        *violations(kind.node, obj, "", old),
        *embedded_violations(kind.node, obj),
        *repetitions(kind.node, obj, "", old),
    ]
    yield from found
    if kind.node.has_rules:
        instead = blocked(found)
        if instead is not None:
            yield instead
        else:
            yield from RuleCheck(kind.node, obj, old).errors


def warnings_on_update(kind: CustomKind, new: Object, old: Object) -> list[str]:
    """Return what rules have against what stays as it is in a valid object."""
    if not kind.node.has_rules:
        return []
    return [str(error) for error in RuleCheck(kind.node, new, old).warnings]


def _type_violations(kind: CustomKind, obj: Object) -> Iterator[FieldError]:
    if obj.get("kind") != kind.kind:
        yield invalid("kind", obj.get("kind"), f"must be {kind.kind}")
    if obj.get("apiVersion") != kind.api_version:
        yield invalid("apiVersion", obj.get("apiVersion"), f"must be {kind.api_version}")
