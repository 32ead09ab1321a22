"""The rules of a custom resource: its type, schema, lists, embedded resources and scale.

Source: apiextensions customresource validator, v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.custom.embedded import embedded_violations
from control_plane.api.custom.rule_validation import RuleCheck, blocked
from control_plane.api.custom.structural import MISSING
from control_plane.api.custom.uniqueness import new_repetitions
from control_plane.api.custom.value_validation import violations
from control_plane.api.field_error import FieldError, invalid
from control_plane.api.validation.validator import Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from control_plane.api.custom.kind import CustomKind
    from control_plane.api.objects import Object


def rules_of(kind: CustomKind) -> Validator:
    """Return the rules of a kind's objects."""

    def found_in(obj: Object, old: Any) -> list[FieldError]:
        return [
            *_type_violations(kind, obj),
            *violations(kind.node, obj, "", old),
            *(kind.scale.spec_violations(obj) if kind.scale else ()),
            *(kind.scale.status_violations(obj) if kind.scale else ()),
            *embedded_violations(kind.node, obj),
            *new_repetitions(kind.node, obj, old),
        ]

    return _validator(kind, found_in)


def status_rules_of(kind: CustomKind) -> Validator:
    """Return the rules of the status endpoint, to which a schema says nothing but of the status."""

    def found_in(obj: Object, old: Any) -> list[FieldError]:
        return [
            *_type_violations(kind, obj),
            *_status_violations(kind, obj, {} if old is MISSING else old),
            *(kind.scale.status_violations(obj) if kind.scale else ()),
            *new_repetitions(kind.node, obj, old),
        ]

    return _validator(kind, found_in)


def _status_violations(kind: CustomKind, obj: Object, old: Object) -> Iterator[FieldError]:
    node = kind.node.properties.get("status")
    if node is not None and "status" in obj:
        yield from violations(node, obj["status"], "status", old.get("status", MISSING))


def _validator(kind: CustomKind, found_in: Callable[[Object, Any], list[FieldError]]) -> Validator:
    """Add the rules in expressions to what is found without them."""

    def all_of(obj: Object, old: Any) -> Iterator[FieldError]:
        found = found_in(obj, old)
        yield from found
        if kind.node.has_rules:
            instead = blocked(found)
            if instead is not None:
                yield instead
            else:
                yield from RuleCheck(kind.node, obj, old).errors

    return Validator(lambda obj: all_of(obj, MISSING), all_of)


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
