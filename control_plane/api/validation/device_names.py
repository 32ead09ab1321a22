"""What the rules of devices share: names of pools, devices and attributes, bounded lists, opaque
parameters.

Called by device_claims.py, device_claim_status.py and device_slices.py. Source: v1.35 resource
validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    duplicate,
    invalid,
    invalid_each,
    required,
    too_long,
    too_many,
)
from control_plane.api.validation.storage_classes import validate_driver_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

    Check = Callable[[Any, str], Iterator[FieldError]]

MAX_POOL: Final = 253
MAX_IDENTIFIER: Final = 32
MAX_CONFIGS: Final = 32
MAX_PARAMETERS: Final = 10 * 1024
_OMITTED: Final = "<value omitted>"


def validate_items(items: list[Any], path: str, limit: int, check: Check) -> Iterator[FieldError]:
    """Check each item; of a list that is too long only that it is."""
    if len(items) > limit:
        yield too_many(path, len(items), limit)
        return
    for index, item in enumerate(items):
        yield from check(item, f"{path}[{index}]")


def validate_unique(
    items: list[Any], path: str, limit: int, check: Check, key: Callable[[Any], str]
) -> Iterator[FieldError]:
    """Check each item, and that each has a key of its own."""
    yield from validate_items(items, path, limit, check)
    if len(items) > limit:
        return
    seen: set[str] = set()
    for index, item in enumerate(items):
        if key(item) in seen:
            yield duplicate(f"{path}[{index}]", key(item))
        seen.add(key(item))


def validate_label(name: str, path: str) -> Iterator[FieldError]:
    """Check the name of a device or a request."""
    yield from invalid_each(path, name, formats.dns1123_label(name))


def validate_pool(name: str, path: str) -> Iterator[FieldError]:
    """Check the name of a pool: subdomains between slashes."""
    if not name:
        yield required(path)
        return
    if len(name.encode()) > MAX_POOL:
        yield too_long(path, MAX_POOL)
    for part in name.split("/"):
        yield from invalid_each(path, part, formats.dns1123_subdomain(part))


def validate_attribute_name(name: str, path: str) -> Iterator[FieldError]:
    """Check the name of an attribute or capacity: an identifier, perhaps after a domain."""
    parts = name.split("/")
    if len(parts) == 1:
        yield from _validate_identifier(name, path)
    elif len(parts) == 2:
        domain, identifier = parts
        if not domain:
            yield invalid(path, "", "the domain must not be empty")
        else:
            yield from validate_driver_name(domain, path)
        if not identifier:
            yield invalid(path, "", "the name must not be empty")
        else:
            yield from _validate_identifier(identifier, path)


def validate_full_attribute_name(name: str, path: str) -> Iterator[FieldError]:
    """Check the name of an attribute that must have a domain."""
    yield from validate_attribute_name(name, path)
    if "/" not in name:
        detail = "a fully qualified name must be a domain and a name separated by a slash"
        yield invalid(path, name, detail)


def _validate_identifier(text: str, path: str) -> Iterator[FieldError]:
    if len(text.encode()) > MAX_IDENTIFIER:
        yield too_long(path, MAX_IDENTIFIER)
    yield from invalid_each(path, text, formats.c_identifier(text))


def validate_configuration(config: Object, path: str) -> Iterator[FieldError]:
    """Check what is passed to a driver as it is."""
    opaque = config.get("opaque")
    if opaque is None:
        yield required(f"{path}.opaque")
        return
    yield from validate_driver_name(opaque.get("driver") or "", f"{path}.opaque.driver")
    where = f"{path}.opaque.parameters"
    yield from validate_raw(opaque.get("parameters"), where, MAX_PARAMETERS)


def validate_raw(value: Any, path: str, limit: int) -> Iterator[FieldError]:
    """Check that a value is an object, of `limit` bytes at most."""
    if value is None:
        yield required(path)
    elif len(orjson.dumps(value)) > limit:
        yield too_long(path, limit)
    elif not isinstance(value, dict):
        yield invalid(path, _OMITTED, "must be a valid JSON object")
