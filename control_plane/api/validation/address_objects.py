"""Rules of IP addresses and service CIDRs.

Called through the VALIDATORS table. Source: v1.35 networking/v1 validation.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from control_plane.api.objects import name_of
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    invalid,
    invalid_each,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_CIDRS: Final = "spec.cidrs"
_BAD_IP: Final = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def ip_address_name(name: str) -> list[str]:
    """Check the name of an IPAddress: the address itself, written as it usually is."""
    try:
        canonical = str(ipaddress.ip_address(name))
    except ValueError:
        return [_BAD_IP]
    if "%" in name:
        return [_BAD_IP]
    return [] if canonical == name else [f'must be in canonical form ("{canonical}")']


def validate_ip_address(address: Object) -> Iterator[FieldError]:
    """Check an IPAddress: it says whose it is."""
    parent = (address.get("spec") or {}).get("parentRef")
    path = "spec.parentRef"
    if parent is None:
        yield required(path)
        return
    group, namespace = parent.get("group") or "", parent.get("namespace") or ""
    if group:
        yield from invalid_each(f"{path}.group", group, formats.dns1123_subdomain(group))
    for field in ("resource", "name"):
        value = parent.get(field) or ""
        if not value:
            yield required(f"{path}.{field}")
        else:
            yield from invalid_each(f"{path}.{field}", value, formats.path_segment(value))
    if namespace:
        yield from invalid_each(f"{path}.namespace", namespace, formats.path_segment(namespace))


def validate_ip_address_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of an IPAddress: it stays with its owner."""
    yield from invalid_each("metadata.name", name_of(new), ip_address_name(name_of(new)))
    yield from validate_ip_address(new)
    parent, stored = ((obj.get("spec") or {}).get("parentRef") for obj in (new, old))
    if not semantically_equal(parent, stored):
        yield invalid("spec.parentRef", parent, IMMUTABLE)


def validate_service_cidr(service_cidr: Object) -> Iterator[FieldError]:
    """Check a ServiceCIDR: one range, or one of each family."""
    ranges = (service_cidr.get("spec") or {}).get("cidrs") or []
    if not ranges:
        yield required(_CIDRS, "at least one CIDR required")
        return
    if len(ranges) > 2:
        yield invalid(_CIDRS, ranges, "may only hold up to 2 values")
        return
    families = set()
    for index, text in enumerate(ranges):
        messages = _range_messages(text)
        yield from invalid_each(f"{_CIDRS}[{index}]", text, messages)
        families.add(":" in text)
    if len(families) < len(ranges):
        detail = (
            "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and "
            "2001:db8::/64"
        )
        yield invalid(_CIDRS, ranges, detail)


def _range_messages(text: str) -> list[str]:
    messages = formats.cidr(text)
    if messages:
        return messages
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return ["must not have leading 0s in IP or prefix length"]
    address = ipaddress.ip_interface(text).ip
    if address != network.network_address:
        return ["must not have bits set beyond the prefix length"]
    return [] if str(network) == text else [f'must be in canonical form ("{network}")']


def validate_service_cidr_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a ServiceCIDR: a second family may come."""
    ranges, stored = ((obj.get("spec") or {}).get("cidrs") or [] for obj in (new, old))
    if len(stored) == 1 and len(ranges) == 2:
        if ranges[0] != stored[0]:
            yield invalid(f"{_CIDRS}[0]", ranges[0], IMMUTABLE)
        yield from validate_service_cidr(new)
    elif ranges != stored:
        yield invalid(_CIDRS, ranges, IMMUTABLE)
