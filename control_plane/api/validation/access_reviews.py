"""Rules of the reviews of authorization.k8s.io, and what of their selectors makes no sense.

Called by the API server's virtual resources. Source: v1.35 authorization validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api import field_selector, label_selector
from control_plane.api.validation.field_errors import forbidden, invalid, required
from control_plane.api.validation.labels import validate_requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
_RESOURCE: Final = "spec.resourceAttributes"
_PATH: Final = "spec.nonResourceAttributes"


def validate_self_review(review: Object) -> Iterator[FieldError]:
    """Check a SelfSubjectAccessReview."""
    yield from _validate_attributes(review.get("spec") or {})
    yield from _validate_no_metadata(review)


def validate_review(review: Object) -> Iterator[FieldError]:
    """Check a SubjectAccessReview."""
    yield from _validate_spec(review)
    yield from _validate_no_metadata(review)


def validate_local_review(review: Object) -> Iterator[FieldError]:
    """Check a LocalSubjectAccessReview, whose namespace is the URL's."""
    yield from _validate_spec(review)
    metadata, spec = review.get("metadata") or {}, review.get("spec") or {}
    if _has_more_than(metadata, "managedFields", "namespace"):
        yield invalid("metadata", metadata, "must be empty except for namespace")
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None:
        namespace = resource.get("namespace") or ""
        if namespace != (metadata.get("namespace") or ""):
            yield invalid(f"{_RESOURCE}.namespace", namespace, "must match metadata.namespace")
    if path is not None:
        yield invalid(_PATH, path, "disallowed on this kind of request")


def _validate_no_metadata(review: Object) -> Iterator[FieldError]:
    metadata = review.get("metadata") or {}
    if _has_more_than(metadata, "managedFields"):
        yield invalid("metadata", metadata, "must be empty")


def _has_more_than(metadata: Object, *fields: str) -> bool:
    return any(value and field not in fields for field, value in metadata.items())


def _validate_spec(review: Object) -> Iterator[FieldError]:
    spec = review.get("spec") or {}
    yield from _exactly_one(spec)
    if not spec.get("user") and not spec.get("groups"):
        yield invalid(
            "spec.user", spec.get("user") or "", "at least one of user or group must be specified"
        )
    yield from _validate_selectors(spec)


def _validate_attributes(spec: Object) -> Iterator[FieldError]:
    yield from _exactly_one(spec)
    yield from _validate_selectors(spec)


def _exactly_one(spec: Object) -> Iterator[FieldError]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        yield invalid(_PATH, path, "cannot be specified in combination with resourceAttributes")
    if resource is None and path is None:
        yield invalid(
            _RESOURCE,
            None,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )


def _validate_selectors(spec: Object) -> Iterator[FieldError]:
    attributes = spec.get("resourceAttributes") or {}
    for field, check in (
        ("fieldSelector", _validate_field_requirement),
        ("labelSelector", _validate_label_requirement),
    ):
        selector = attributes.get(field)
        if selector is not None:
            yield from _validate_selector(selector, f"{_RESOURCE}.{field}", check)


def _validate_selector(
    selector: Object, path: str, check: Callable[[Object, str], Iterator[FieldError]]
) -> Iterator[FieldError]:
    raw, requirements = selector.get("rawSelector") or "", selector.get("requirements") or []
    if raw and requirements:
        text = "may not specified at the same time as requirements"
        yield invalid(f"{path}.rawSelector", raw, text)
    if not raw and not requirements:
        text = f"when {path} is specified, requirements or rawSelector is required"
        yield required(f"{path}.requirements", text)
    for index, requirement in enumerate(requirements):
        yield from check(requirement, f"{path}.requirements[{index}]")


def _validate_field_requirement(requirement: Object, path: str) -> Iterator[FieldError]:
    """Check one requirement; operators that are unknown here are for newer servers to know."""
    if not requirement.get("key"):
        yield required(f"{path}.key", "must be specified")
    operator, values = requirement.get("operator"), requirement.get("values")
    if operator in ("In", "NotIn") and not values:
        yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    if operator in ("Exists", "DoesNotExist") and values:
        text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        yield forbidden(f"{path}.values", text)


def _validate_label_requirement(requirement: Object, path: str) -> Iterator[FieldError]:
    known = requirement.get("operator") in _OPERATORS
    unknown = f"{path}.operator"
    for error in validate_requirement(requirement, path):
        if known or error.field != unknown:
            yield error


def selector_errors(attributes: Object) -> Iterator[str]:
    """Say which selectors of resourceAttributes were not understood and so not regarded."""
    for field, understands_raw, understands in (
        ("fieldSelector", _is_field_selector, _is_field_requirement),
        ("labelSelector", _is_label_selector, _is_label_requirement),
    ):
        selector = attributes.get(field) or {}
        raw, requirements = selector.get("rawSelector") or "", selector.get("requirements") or []
        good = [requirement for requirement in requirements if understands(requirement)]
        if len(good) < len(requirements) or not understands_raw(raw):
            partially = "partially " if good else ""
            yield f"{_RESOURCE}.{field} {partially}ignored due to parse error"


def _is_field_selector(raw: str) -> bool:
    return _parses(field_selector.parse, raw)


def _is_label_selector(raw: str) -> bool:
    return _parses(label_selector.parse, raw)


def _parses(parse: Callable[[str], object], raw: str) -> bool:
    try:
        parse(raw)
    except ValueError:
        return False
    return True


def _is_field_requirement(requirement: Object) -> bool:
    is_known = requirement.get("operator") in ("In", "NotIn")
    return is_known and len(requirement.get("values") or []) == 1


def _is_label_requirement(requirement: Object) -> bool:
    return requirement.get("operator") in _OPERATORS
