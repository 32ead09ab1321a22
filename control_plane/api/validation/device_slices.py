"""Rules of the devices that drivers publish, and of classes of devices.

Called through the VALIDATORS table. Expressions are not compiled; fields of features that are off
are gone by then. Source: v1.35 resource validation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.device_claims import validate_selectors
from control_plane.api.validation.device_names import (
    MAX_CONFIGS,
    MAX_IDENTIFIER,
    validate_attribute_name,
    validate_configuration,
    validate_items,
    validate_label,
    validate_pool,
    validate_unique,
)
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    NOT_POSITIVE,
    invalid,
    invalid_each,
    required,
    too_long,
)
from control_plane.api.validation.node_affinity import validate_node_selector
from control_plane.api.validation.storage_classes import validate_driver_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_DEVICES: Final = 128
MAX_ATTRIBUTES: Final = 32
MAX_VALUE: Final = 64
MAX_KEY: Final = 63 + 1 + MAX_IDENTIFIER
_VALUES: Final = ("bool", "int", "string", "version")
_PLACES: Final = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
_ONE_PLACE: Final = f"exactly one of {', '.join(f'`{place}`' for place in _PLACES)} is required"
_NUMBER: Final = r"(0|[1-9]\d*)"
_PRE: Final = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_BUILD: Final = "[0-9a-zA-Z-]+"
_SEMVER: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PRE}(\.{_PRE})*)?(\+{_BUILD}(\.{_BUILD})*)?", re.ASCII
)


def validate_slice(resource_slice: Object) -> Iterator[FieldError]:
    """Check a new ResourceSlice."""
    spec = resource_slice.get("spec") or {}
    yield from validate_driver_name(spec.get("driver") or "", "spec.driver")
    yield from _validate_pool(spec.get("pool") or {}, "spec.pool")
    yield from _validate_rest(spec)


def validate_slice_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a ResourceSlice: it stays with its driver, pool and node."""
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    yield from validate_driver_name(spec.get("driver") or "", "spec.driver")
    yield from _validate_pool(spec.get("pool") or {}, "spec.pool")
    pool, stored_pool = ((each.get("pool") or {}).get("name") for each in (spec, stored))
    if pool != stored_pool:
        yield invalid("spec.pool.name", pool, IMMUTABLE)
    for field in ("driver", "nodeName"):
        if spec.get(field) != stored.get(field):
            yield invalid(f"spec.{field}", spec.get(field), IMMUTABLE)
    yield from _validate_rest(spec)


def _validate_pool(pool: Object, path: str) -> Iterator[FieldError]:
    yield from validate_pool(pool.get("name") or "", f"{path}.name")
    count, generation = pool.get("resourceSliceCount") or 0, pool.get("generation") or 0
    if count <= 0:
        yield invalid(f"{path}.resourceSliceCount", count, NOT_POSITIVE)
    if generation < 0:
        detail = "must be greater than or equal to zero"
        yield invalid(f"{path}.generation", generation, detail)


def _validate_rest(spec: Object) -> Iterator[FieldError]:
    yield from _validate_places(spec, "spec")
    devices = spec.get("devices") or []
    yield from validate_unique(devices, "spec.devices", MAX_DEVICES, _validate_device, _name)


def _name(device: Object) -> str:
    return device.get("name") or ""


def _validate_places(spec: Object, path: str) -> Iterator[FieldError]:
    name, selector = spec.get("nodeName"), spec.get("nodeSelector")
    if name == "":
        yield invalid(f"{path}.nodeName", name, "must be either unset or set to a non-empty string")
    elif name is not None:
        yield from invalid_each(f"{path}.nodeName", name, formats.dns1123_subdomain(name))
    if selector is not None:
        where, terms = f"{path}.nodeSelector", selector.get("nodeSelectorTerms") or []
        yield from validate_node_selector(selector, where)
        if len(terms) != 1:
            detail = "must have exactly one node selector term"
            yield invalid(f"{where}.nodeSelectorTerms", terms, detail)
    for field in ("allNodes", "perDeviceNodeSelection"):
        if spec.get(field) is False:
            yield invalid(f"{path}.{field}", False, "must be either unset or set to true")
    chosen = [f"`{field}`" for field in _PLACES if spec.get(field) not in (None, "", False)]
    if not chosen:
        yield required(path, _ONE_PLACE)
    elif len(chosen) > 1:
        detail = f"{_ONE_PLACE}, but multiple fields are set"
        yield invalid(path, f"{{{', '.join(chosen)}}}", detail)


def _validate_device(device: Object, path: str) -> Iterator[FieldError]:
    yield from validate_label(_name(device), f"{path}.name")
    attributes, capacity = device.get("attributes") or {}, device.get("capacity") or {}
    count = len(attributes) + len(capacity)
    if count > MAX_ATTRIBUTES:
        detail = f"the total number of attributes and capacities must not exceed {MAX_ATTRIBUTES}"
        yield invalid(path, count, detail)
    for name, attribute in sorted(attributes.items()):
        where = f"{path}.attributes[{_shortened(name)}]"
        yield from validate_attribute_name(name, where)
        yield from _validate_attribute(attribute or {}, where)
    for name in sorted(capacity):
        yield from validate_attribute_name(name, f"{path}.capacity[{_shortened(name)}]")


def _shortened(key: str) -> str:
    """A key as an error shows it: without its middle when it is longer than any good one."""
    if len(key) <= MAX_KEY:
        return key
    rest = MAX_KEY - len("...")
    return f"{key[: (rest + 1) // 2]}...{key[-(rest // 2) :]}"


def _validate_attribute(attribute: Object, path: str) -> Iterator[FieldError]:
    text, version = attribute.get("string"), attribute.get("version")
    if text is not None and len(text.encode()) > MAX_VALUE:
        yield too_long(f"{path}.string", MAX_VALUE)
    if version is not None:
        if _SEMVER.fullmatch(version) is None:
            detail = "must be a string compatible with semver.org spec 2.0.0"
            yield invalid(f"{path}.version", version, detail)
        if len(version.encode()) > MAX_VALUE:
            yield too_long(f"{path}.version", MAX_VALUE)
    given = {field: attribute[field] for field in _VALUES if attribute.get(field) is not None}
    if len(given) != 1:
        yield invalid(path, given or "", "exactly one value must be specified")


def validate_class(device_class: Object) -> Iterator[FieldError]:
    """Check a DeviceClass."""
    spec = device_class.get("spec") or {}
    yield from validate_selectors(spec.get("selectors") or [], "spec.selectors")
    configs = spec.get("config") or []
    yield from validate_items(configs, "spec.config", MAX_CONFIGS, validate_configuration)
