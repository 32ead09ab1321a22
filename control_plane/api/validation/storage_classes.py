"""Rules of storage classes and volume attributes classes.

Called through the VALIDATORS table. Source: v1.35 storage/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    duplicate,
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    one_of,
    required,
    too_long,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_PARAMETERS: Final = 512
MAX_PARAMETER_BYTES: Final = 256 * 1024
_RECLAIM: Final = ("Delete", "Retain")
_BINDING: Final = ("Immediate", "WaitForFirstConsumer")


def validate_storage_class(storage_class: Object) -> Iterator[FieldError]:
    """Check a StorageClass."""
    provisioner = storage_class.get("provisioner") or ""
    if not provisioner:
        yield required("provisioner", provisioner)
    else:
        name = provisioner.lower()
        yield from invalid_each("provisioner", name, formats.qualified_name(name))
    yield from _validate_parameters(storage_class.get("parameters") or {})
    policy = storage_class.get("reclaimPolicy")
    if policy and policy not in _RECLAIM:
        yield not_supported("reclaimPolicy", policy, _RECLAIM)
    yield from one_of("volumeBindingMode", storage_class.get("volumeBindingMode"), _BINDING)
    yield from _validate_topologies(storage_class.get("allowedTopologies") or [])


def _validate_parameters(
    parameters: dict[str, str], *, needed: bool = False
) -> Iterator[FieldError]:
    if len(parameters) > MAX_PARAMETERS:
        yield too_long("parameters", MAX_PARAMETERS)
        return
    if needed and not parameters:
        yield required("parameters", "must contain at least one key/value pair")
    if "" in parameters:
        yield invalid("parameters", "", "field can not be empty.")
    size = sum(len(key.encode()) + len(value.encode()) for key, value in parameters.items())
    if size > MAX_PARAMETER_BYTES:
        yield too_long("parameters", MAX_PARAMETER_BYTES)


def _validate_topologies(terms: list[Object]) -> Iterator[FieldError]:
    seen: list[Object] = [{} for _ in terms]  # as in upstream, to which an empty term is a repeat
    for index, term in enumerate(terms):
        path = f"allowedTopologies[{index}]"
        keys: dict[str, frozenset[str]] = {}
        for number, requirement in enumerate(term.get("matchLabelExpressions") or []):
            where = f"{path}.matchLabelExpressions[{number}]"
            key, values = requirement.get("key") or "", requirement.get("values") or []
            yield from _validate_values(values, f"{where}.values")
            yield from invalid_each(f"{where}.key", key, formats.qualified_name(key))
            if key in keys:
                yield duplicate(f"{where}.key", key)
            keys[key] = frozenset(values)
        for _ in range(seen.count(keys)):
            yield duplicate(f"{path}.matchLabelExpressions", "")
        seen.append(dict(keys))


def _validate_values(values: list[str], path: str) -> Iterator[FieldError]:
    if not values:
        yield required(path)
    for index, value in enumerate(values):
        if value in values[:index]:
            yield duplicate(f"{path}[{index}]", value)


def validate_storage_class_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a StorageClass: volumes were made by what it says."""
    yield from validate_storage_class(new)
    for field in ("parameters", "provisioner", "reclaimPolicy"):
        if not semantically_equal(new.get(field), old.get(field)):
            yield forbidden(field, f"updates to {field} are forbidden.")
    mode = new.get("volumeBindingMode")
    if mode != old.get("volumeBindingMode"):
        yield invalid("volumeBindingMode", mode, IMMUTABLE)


def validate_attributes_class(attributes_class: Object) -> Iterator[FieldError]:
    """Check a VolumeAttributesClass."""
    yield from validate_driver_name(attributes_class.get("driverName") or "", "driverName")
    yield from _validate_parameters(attributes_class.get("parameters") or {}, needed=True)


def validate_attributes_class_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a VolumeAttributesClass: all of it stays."""
    for field in ("driverName", "parameters"):
        if not semantically_equal(new.get(field), old.get(field)):
            yield forbidden(field, f"updates to {field} are forbidden.")


MAX_DRIVER_NAME: Final = 63


def validate_driver_name(name: str, path: str) -> Iterator[FieldError]:
    """Check the name of a CSI driver: a short domain, in whatever case."""
    if not name:
        yield required(path)
        return
    if len(name.encode()) > MAX_DRIVER_NAME:
        yield too_long(path, MAX_DRIVER_NAME)
    yield from invalid_each(path, name, formats.dns1123_subdomain(name.lower()))
