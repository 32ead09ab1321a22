"""Rules of claims for devices, and of their templates.

Called through the VALIDATORS table. Source: v1.35 resource validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.cel.devices import selector_mistake
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.device_names import (
    MAX_CONFIGS,
    validate_configuration,
    validate_full_attribute_name,
    validate_items,
    validate_label,
    validate_unique,
)
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    NOT_POSITIVE,
    invalid,
    invalid_each,
    not_supported,
    required,
    too_long,
)
from control_plane.api.validation.labels import validate_labels
from control_plane.api.validation.metadata import validate_annotations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_REQUESTS: Final = 32
MAX_CONSTRAINTS: Final = 32
MAX_SELECTORS: Final = 32
MAX_ALTERNATIVES: Final = 8
MAX_EXPRESSION: Final = 10 * 1024
_ONE: Final = "exactly one of `exactly` or `firstAvailable` is required"
_NOT_A_REQUEST: Final = (
    "must be the name of a request in the claim or the name of a request and a subrequest "
    "separated by '/'"
)


def validate_claim(claim: Object) -> Iterator[FieldError]:
    """Check a new ResourceClaim."""
    yield from validate_claim_spec(claim.get("spec") or {}, "spec")


def validate_claim_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a ResourceClaim: what it asks for stays."""
    yield from _keep_spec(new, old)


def validate_template(template: Object) -> Iterator[FieldError]:
    """Check a new ResourceClaimTemplate."""
    spec = template.get("spec") or {}
    metadata = spec.get("metadata") or {}
    yield from validate_annotations(metadata.get("annotations"), "spec.metadata.annotations")
    yield from validate_labels(metadata.get("labels"), "spec.metadata.labels")
    yield from validate_claim_spec(spec.get("spec") or {}, "spec.spec")


def validate_template_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a ResourceClaimTemplate: it stays as it is."""
    yield from _keep_spec(new, old)


def _keep_spec(new: Object, old: Object) -> Iterator[FieldError]:
    if not semantically_equal(new.get("spec"), old.get("spec")):
        yield invalid("spec", new.get("spec"), IMMUTABLE)


def validate_claim_spec(spec: Object, path: str) -> Iterator[FieldError]:
    """Check what a claim asks for."""
    devices, where = spec.get("devices") or {}, f"{path}.devices"
    names = request_names(spec)

    def check_constraint(constraint: Object, at: str) -> Iterator[FieldError]:
        yield from validate_references(constraint, at, names)
        if constraint.get("matchAttribute") is None:
            yield required(f"{at}.matchAttribute")
        else:
            attribute = constraint["matchAttribute"]
            yield from validate_full_attribute_name(attribute, f"{at}.matchAttribute")

    def check_config(config: Object, at: str) -> Iterator[FieldError]:
        yield from validate_references(config, at, names)
        yield from validate_configuration(config, at)

    requests = devices.get("requests") or []
    yield from validate_unique(
        requests, f"{where}.requests", MAX_REQUESTS, _validate_request, _name
    )
    constraints = devices.get("constraints") or []
    yield from validate_items(
        constraints, f"{where}.constraints", MAX_CONSTRAINTS, check_constraint
    )
    configs = devices.get("config") or []
    yield from validate_items(configs, f"{where}.config", MAX_CONFIGS, check_config)


def _name(request: Object) -> str:
    return request.get("name") or ""


def request_names(spec: Object) -> Mapping[str, set[str]]:
    """Return the requests of a claim, each with its alternatives."""
    requests = (spec.get("devices") or {}).get("requests") or []
    return {_name(one): set(map(_name, one.get("firstAvailable") or [])) for one in requests}


def validate_references(
    owner: Object, path: str, names: Mapping[str, set[str]]
) -> Iterator[FieldError]:
    """Check the requests that a part of a claim is about."""

    def check(name: str, at: str) -> Iterator[FieldError]:
        yield from validate_reference(name, at, names)

    references = owner.get("requests") or []
    yield from validate_unique(references, f"{path}.requests", MAX_REQUESTS, check, str)


def validate_reference(name: str, path: str, names: Mapping[str, set[str]]) -> Iterator[FieldError]:
    """Check that a name is one of a claim's requests, or an alternative of one."""
    parts = name.split("/")
    if len(parts) > 2:
        yield invalid(path, name, _NOT_A_REQUEST)
        return
    for part in parts:
        yield from validate_label(part, path)
    if parts[0] not in names or (len(parts) == 2 and parts[1] not in names[parts[0]]):
        yield invalid(path, name, _NOT_A_REQUEST)


def _validate_request(request: Object, path: str) -> Iterator[FieldError]:
    yield from validate_label(_name(request), f"{path}.name")
    exactly, alternatives = request.get("exactly"), request.get("firstAvailable") or []
    if exactly is None and not alternatives:
        yield required(path, _ONE)
    elif exactly is not None and alternatives:
        yield invalid(path, None, f"{_ONE}, but multiple fields are set")
    elif alternatives:
        where = f"{path}.firstAvailable"
        yield from validate_unique(
            alternatives, where, MAX_ALTERNATIVES, _validate_alternative, _name
        )
    elif exactly is not None:
        yield from _validate_exactly(exactly, f"{path}.exactly")


def _validate_alternative(request: Object, path: str) -> Iterator[FieldError]:
    yield from validate_label(_name(request), f"{path}.name")
    yield from _validate_exactly(request, path)


def _validate_exactly(request: Object, path: str) -> Iterator[FieldError]:
    device_class = request.get("deviceClassName") or ""
    if not device_class:
        yield required(f"{path}.deviceClassName")
    else:
        messages = formats.dns1123_subdomain(device_class)
        yield from invalid_each(f"{path}.deviceClassName", device_class, messages)
    yield from validate_selectors(request.get("selectors") or [], f"{path}.selectors")
    mode, count = request.get("allocationMode") or "", request.get("count") or 0
    if mode == "All":
        if count:
            detail = "must not be specified when allocationMode is 'All'"
            yield invalid(f"{path}.count", count, detail)
    elif mode != "ExactCount":
        yield not_supported(f"{path}.allocationMode", mode, ("All", "ExactCount"))
    elif count <= 0:
        yield invalid(f"{path}.count", count, NOT_POSITIVE)


def validate_selectors(selectors: list[Object], path: str) -> Iterator[FieldError]:
    """Check the expressions that choose among devices."""
    yield from validate_items(selectors, path, MAX_SELECTORS, _validate_selector)


def _validate_selector(selector: Object, path: str) -> Iterator[FieldError]:
    cel = selector.get("cel")
    if cel is None:
        yield required(f"{path}.cel")
        return
    where, text = f"{path}.cel.expression", cel.get("expression") or ""
    if len(text.encode()) > MAX_EXPRESSION:
        yield too_long(where, MAX_EXPRESSION)
        return
    mistake = selector_mistake(text)
    if mistake:
        yield invalid(where, text, mistake)
