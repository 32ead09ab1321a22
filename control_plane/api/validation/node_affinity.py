"""Rules of node selectors: a pod's node affinity and a volume's.

Called by pod_affinity.py and storage.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import forbidden, invalid, invalid_each, required

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_NOT_AN_OPERATOR: Final = "not a valid selector operator"


def validate_node_selector(selector: Object, path: str) -> Iterator[FieldError]:
    """Check a node selector: at least one term."""
    terms = selector.get("nodeSelectorTerms") or []
    where = f"{path}.nodeSelectorTerms"
    if not terms:
        yield required(where, "must have at least one node selector term")
    for index, term in enumerate(terms):
        yield from validate_node_selector_term(term, f"{where}[{index}]")


def validate_node_selector_term(term: Object, path: str) -> Iterator[FieldError]:
    """Check the expressions over labels and fields of one term."""
    for index, requirement in enumerate(term.get("matchExpressions") or []):
        yield from _validate_requirement(requirement, f"{path}.matchExpressions[{index}]")
    for index, requirement in enumerate(term.get("matchFields") or []):
        yield from _validate_field(requirement, f"{path}.matchFields[{index}]")


def _validate_requirement(requirement: Object, path: str) -> Iterator[FieldError]:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            detail = "must be specified when `operator` is 'In' or 'NotIn'"
            yield required(f"{path}.values", detail)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield forbidden(f"{path}.values", detail)
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            detail = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            yield required(f"{path}.values", detail)
    else:
        yield invalid(f"{path}.operator", operator, _NOT_AN_OPERATOR)
    key = requirement.get("key") or ""
    yield from invalid_each(f"{path}.key", key, formats.qualified_name(key))


def _validate_field(requirement: Object, path: str) -> Iterator[FieldError]:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if operator not in ("In", "NotIn"):
        yield invalid(f"{path}.operator", operator, _NOT_AN_OPERATOR)
    elif len(values) != 1:
        detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{path}.values", detail)
    key = requirement.get("key") or ""
    if key != "metadata.name":
        yield invalid(f"{path}.key", key, "not a valid field selector key")
        return
    for index, value in enumerate(values):
        messages = formats.dns1123_subdomain(value)
        yield from invalid_each(f"{path}.values[{index}]", value, messages)
