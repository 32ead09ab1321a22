"""Rules of ingress classes.

Called through the VALIDATORS table. Source: v1.35 networking/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    required,
    too_long,
)
from control_plane.api.validation.paths import validate_domain_prefixed_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_CONTROLLER: Final = 250
_PARAMETERS: Final = "spec.parameters"


def validate_ingress_class(ingress_class: Object) -> Iterator[FieldError]:
    """Check an IngressClass."""
    spec = ingress_class.get("spec") or {}
    controller = spec.get("controller") or ""
    if len(controller.encode()) > MAX_CONTROLLER:
        yield too_long("spec.controller", MAX_CONTROLLER)
    yield from validate_domain_prefixed_path(controller, "spec.controller")
    parameters = spec.get("parameters")
    if parameters is not None:
        yield from _validate_parameters(parameters)


def _validate_parameters(parameters: Object) -> Iterator[FieldError]:
    group, scope = parameters.get("apiGroup"), parameters.get("scope")
    if group:
        where = f"{_PARAMETERS}.apiGroup"
        yield from invalid_each(where, group, formats.dns1123_subdomain(group))
    for field in ("kind", "name"):
        value = parameters.get(field) or ""
        if not value:
            yield required(f"{_PARAMETERS}.{field}")
        else:
            where = f"{_PARAMETERS}.{field}"
            yield from invalid_each(where, value, formats.path_segment(value))
    if scope is None:
        yield required(f"{_PARAMETERS}.scope")
    elif scope not in ("Cluster", "Namespace"):
        yield not_supported(f"{_PARAMETERS}.scope", scope, ("Cluster", "Namespace"))
    yield from _validate_scope(scope, parameters.get("namespace"))


def _validate_scope(scope: str | None, namespace: str | None) -> Iterator[FieldError]:
    where = f"{_PARAMETERS}.namespace"
    if scope == "Namespace":
        if not namespace:
            yield required(where, "`parameters.scope` is set to 'Namespace'")
        else:
            yield from invalid_each(where, namespace, formats.dns1123_label(namespace))
    elif scope == "Cluster" and namespace is not None:
        yield forbidden(where, "`parameters.scope` is set to 'Cluster'")


def validate_ingress_class_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of an IngressClass: the controller stays."""
    controller, stored = ((obj.get("spec") or {}).get("controller") for obj in (new, old))
    if controller != stored:
        yield invalid("spec.controller", controller, IMMUTABLE)
    yield from validate_ingress_class(new)
