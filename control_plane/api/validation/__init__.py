"""Validation: what the API refuses with 422, one cause per broken rule.

`validate_create` and `validate_update` run after defaulting, preparation and allocation, on objects
whose fields have the right JSON types (field_validation.py saw to that). They change nothing.
VALIDATORS is the table: one row per kind, and per subresource that has rules of its own; a kind
without a row gets the rules of metadata alone. The rules are those of the stored version of a
type. Field paths and texts are upstream's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.conversion import in_stored_version
from control_plane.api.objects import finalizers_of
from control_plane.api.validation import formats
from control_plane.api.validation.metadata import (
    validate_finalizers_of_built_in,
    validate_metadata,
    validate_metadata_update,
)
from control_plane.api.validation.validators import VALIDATORS, Validator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object
    from control_plane.api.resources import Resource

__all__ = ["VALIDATORS", "Validator", "validate_create", "validate_update"]

_ANY_FINALIZER = frozenset(
    {"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"}
)
"""Groups whose kinds take every qualified name for a finalizer, as custom resources do."""
_METADATA_ONLY = Validator(name_rule=formats.dns1123_subdomain)


def validate_create(resource: Resource, obj: Object) -> list[FieldError]:
    """Return what is wrong with a new object, in upstream's order; empty when it may be stored."""
    obj = in_stored_version(resource, obj)
    validator = _validator_for(resource, "")
    metadata = obj.get("metadata") or {}
    errors = list(validate_metadata(metadata, validator.name_rule, namespaced=resource.namespaced))
    return [*errors, *_finalizer_errors(resource, obj), *validator.on_create(obj)]


def _finalizer_errors(resource: Resource, obj: Object) -> Iterator[FieldError]:
    if resource.custom is None and resource.group not in _ANY_FINALIZER:
        yield from validate_finalizers_of_built_in(finalizers_of(obj))


def _validator_for(resource: Resource, subresource: str) -> Validator:
    """Return the rules of an endpoint: its own, or, but for a status, those of the whole object."""
    if resource.custom is not None:
        return resource.custom.validator(subresource)
    key = (resource.group, resource.kind)
    own = VALIDATORS.get((*key, subresource))
    if own is not None or subresource == "status":
        return own or _METADATA_ONLY
    return VALIDATORS.get((*key, ""), _METADATA_ONLY)


def validate_update(
    resource: Resource, new: Object, old: Object, *, subresource: str = ""
) -> list[FieldError]:
    """Return what is wrong with replacing `old` by `new` through this endpoint."""
    new, old = in_stored_version(resource, new), in_stored_version(resource, old)
    validator = _validator_for(resource, subresource)
    errors = list(validate_metadata_update(new.get("metadata") or {}, old.get("metadata") or {}))
    return [*errors, *_finalizer_errors(resource, new), *validator.on_update(new, old)]
