"""Rules of Endpoints and EndpointSlices.

Called through the VALIDATORS table. Source: v1.35 core/v1 and discovery/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.container_ports import PROTOCOLS
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    duplicate,
    invalid,
    invalid_each,
    one_of,
    required,
    too_many,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_ADDRESS_TYPES: Final = ("FQDN", "IPv4", "IPv6")
_MAX_ENDPOINTS: Final = 1000
_MAX_ADDRESSES: Final = 100
_MAX_PORTS: Final = 20_000
_MAX_HINTS: Final = 8
_MAX_TOPOLOGY: Final = 16


def validate_endpoints(endpoints: Object) -> Iterator[FieldError]:
    """Check an Endpoints object."""
    for index, subset in enumerate(endpoints.get("subsets") or []):
        where = f"subsets[{index}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield required(where, "must specify `addresses` or `notReadyAddresses`")
        for field in ("addresses", "notReadyAddresses"):
            for at, address in enumerate(subset.get(field) or []):
                yield from _validate_address(address, f"{where}.{field}[{at}]")
        ports = subset.get("ports") or []
        for at, port in enumerate(ports):
            yield from _validate_port(port, f"{where}.ports[{at}]", needs_name=len(ports) > 1)


def validate_endpoints_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of Endpoints; subsets that were stored already are let be."""
    if not semantically_equal(new.get("subsets"), old.get("subsets")):
        yield from validate_endpoints(new)


def _validate_address(address: Object, path: str) -> Iterator[FieldError]:
    ip = address.get("ip") or ""
    yield from invalid_each(f"{path}.ip", ip, formats.ip_address(ip) or formats.endpoint_ip(ip))
    yield from _validate_host(address, path)


def _validate_host(endpoint: Object, path: str) -> Iterator[FieldError]:
    host, node = endpoint.get("hostname") or "", endpoint.get("nodeName")
    if host:
        yield from invalid_each(f"{path}.hostname", host, formats.dns1123_label(host))
    if node is not None:
        yield from invalid_each(f"{path}.nodeName", node, formats.dns1123_subdomain(node))


def _validate_port(port: Object, path: str, *, needs_name: bool) -> Iterator[FieldError]:
    name, number = port.get("name") or "", port.get("port") or 0
    if name:
        yield from invalid_each(f"{path}.name", name, formats.dns1123_label(name))
    elif needs_name:
        yield required(f"{path}.name")
    yield from invalid_each(f"{path}.port", number, formats.port_number(number))
    yield from one_of(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
    yield from _validate_app_protocol(port, path)


def _validate_app_protocol(port: Object, path: str) -> Iterator[FieldError]:
    protocol = port.get("appProtocol")
    if protocol is not None:
        messages = formats.qualified_name(protocol)
        yield from invalid_each(f"{path}.appProtocol", protocol, messages)


def validate_endpoint_slice(endpoint_slice: Object) -> Iterator[FieldError]:
    """Check an EndpointSlice."""
    kind = endpoint_slice.get("addressType") or ""
    yield from one_of("addressType", kind, _ADDRESS_TYPES)
    endpoints = endpoint_slice.get("endpoints") or []
    if len(endpoints) > _MAX_ENDPOINTS:
        yield too_many("endpoints", len(endpoints), _MAX_ENDPOINTS)
        return
    for index, endpoint in enumerate(endpoints):
        yield from _validate_endpoint(endpoint, kind, f"endpoints[{index}]")
    yield from _validate_slice_ports(endpoint_slice.get("ports") or [])


def validate_endpoint_slice_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of an EndpointSlice."""
    yield from validate_endpoint_slice(new)
    if new.get("addressType") != old.get("addressType"):
        yield invalid("addressType", new.get("addressType"), IMMUTABLE)


def _validate_endpoint(endpoint: Object, kind: str, path: str) -> Iterator[FieldError]:
    addresses = endpoint.get("addresses") or []
    where = f"{path}.addresses"
    if not addresses:
        yield required(where, "must contain at least 1 address")
    elif len(addresses) > _MAX_ADDRESSES:
        yield too_many(where, len(addresses), _MAX_ADDRESSES)
    for index, address in enumerate(addresses):
        yield from _validate_typed_address(address, kind, where, index)
    yield from _validate_host(endpoint, path)
    topology = endpoint.get("deprecatedTopology") or {}
    if len(topology) > _MAX_TOPOLOGY:
        yield too_many(f"{path}.deprecatedTopology", len(topology), _MAX_TOPOLOGY)
    hints = endpoint.get("hints") or {}
    yield from _validate_hints(hints.get("forZones") or [], f"{path}.hints.forZones")
    yield from _validate_hints(hints.get("forNodes") or [], f"{path}.hints.forNodes")


def _validate_typed_address(address: str, kind: str, path: str, index: int) -> Iterator[FieldError]:
    own = f"{path}[{index}]"
    if kind == "FQDN":
        yield from invalid_each(own, address, _fqdn(address))
        return
    parsed = formats.parsed_ip(address)
    if parsed is None:
        yield from invalid_each(own, address, formats.ip_address(address))
        return
    if kind == "IPv4" and parsed.version != 4:
        yield invalid(path, address, "must be an IPv4 address")
    if kind == "IPv6":
        if parsed.version != 6:
            yield invalid(own, address, "must be an IPv6 address")
        elif str(parsed) != address:
            yield invalid(own, address, f'must be in canonical form ("{parsed}")')
    yield from invalid_each(own, address, formats.endpoint_ip(address))


def _fqdn(text: str) -> list[str]:
    bare = text.removesuffix(".")
    messages = formats.dns1123_subdomain(bare)
    if not messages and "." not in bare:
        return ["should be a domain with at least two segments separated by dots"]
    return messages


def _validate_hints(hints: list[Object], path: str) -> Iterator[FieldError]:
    if len(hints) > _MAX_HINTS:
        yield too_many(path, len(hints), _MAX_HINTS)
        return
    seen: set[str] = set()
    for index, hint in enumerate(hints):
        name = hint.get("name") or ""
        where = f"{path}[{index}].name"
        if name in seen:
            yield duplicate(where, name)
        seen.add(name)
        yield from invalid_each(where, name, formats.label_value(name))


def _validate_slice_ports(ports: list[Object]) -> Iterator[FieldError]:
    if len(ports) > _MAX_PORTS:
        yield too_many("ports", len(ports), _MAX_PORTS)
        return
    seen: set[str] = set()
    for index, port in enumerate(ports):
        where = f"ports[{index}]"
        name = port.get("name") or ""
        if name:
            yield from invalid_each(f"{where}.name", name, formats.dns1123_label(name))
        if name in seen:
            yield duplicate(f"{where}.name", name)
        seen.add(name)
        yield from one_of(f"{where}.protocol", port.get("protocol"), PROTOCOLS)
        yield from _validate_app_protocol(port, where)
