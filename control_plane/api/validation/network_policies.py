"""Rules of network policies.

Called through the VALIDATORS table. Source: v1.35 networking/v1 validation.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    required,
)
from control_plane.api.validation.labels import validate_selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_POLICY_TYPES: Final = ("Egress", "Ingress")


def validate_network_policy(policy: Object) -> Iterator[FieldError]:
    """Check a NetworkPolicy."""
    spec = policy.get("spec") or {}
    yield from validate_selector(spec.get("podSelector") or {}, "spec.podSelector")
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(field) or []):
            yield from _validate_rule(rule, f"spec.{field}[{index}]", peers)
    types = spec.get("policyTypes") or []
    if len(types) > len(_POLICY_TYPES):
        yield invalid("spec.policyTypes", types, "may not specify more than two policyTypes")
        return
    for index, kind in enumerate(types):
        if kind not in _POLICY_TYPES:
            yield not_supported(f"spec.policyTypes[{index}]", kind, _POLICY_TYPES)


def _validate_rule(rule: Object, path: str, peers: str) -> Iterator[FieldError]:
    for index, port in enumerate(rule.get("ports") or []):
        yield from _validate_port(port, f"{path}.ports[{index}]")
    for index, peer in enumerate(rule.get(peers) or []):
        yield from _validate_peer(peer, f"{path}.{peers}[{index}]")


def _validate_port(port: Object, path: str) -> Iterator[FieldError]:
    protocol, number, end = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in _PROTOCOLS:
        yield not_supported(f"{path}.protocol", protocol, _PROTOCOLS)
    if number is not None:
        yield from invalid_each(f"{path}.port", number, formats.port(number))
    if end is None:
        return
    where = f"{path}.endPort"
    if number is None:
        yield invalid(where, end, "may not be specified when `port` is not specified")
    elif isinstance(number, str):
        yield invalid(where, end, "may not be specified when `port` is non-numeric")
    else:
        if end < number:
            yield invalid(where, end, "must be greater than or equal to `port`")
        yield from invalid_each(where, end, formats.port_number(end))


def _validate_peer(peer: Object, path: str) -> Iterator[FieldError]:
    given = 0
    for field in ("podSelector", "namespaceSelector"):
        if peer.get(field) is not None:
            given += 1
            yield from validate_selector(peer[field], f"{path}.{field}")
    block = peer.get("ipBlock")
    if block is not None:
        yield from _validate_block(block, f"{path}.ipBlock")
    if not given and block is None:
        yield required(path, "must specify a peer")
    elif given and block is not None:
        yield forbidden(path, "may not specify both ipBlock and another peer")


def _validate_block(block: Object, path: str) -> Iterator[FieldError]:
    whole = block.get("cidr") or ""
    if not whole:
        yield required(f"{path}.cidr")
        return
    messages = formats.cidr(whole)
    yield from invalid_each(f"{path}.cidr", whole, messages)
    for index, part in enumerate(block.get("except") or []):
        where = f"{path}.except[{index}]"
        part_messages = formats.cidr(part)
        yield from invalid_each(where, part, part_messages)
        if not messages and not part_messages and not _is_strict_subset(part, whole):
            yield invalid(where, part, "must be a strict subset of `cidr`")


def _is_strict_subset(part: str, whole: str) -> bool:
    inner, outer = _network(part), _network(whole)
    same_family = inner.version == outer.version
    return bool(same_family and inner != outer and inner.subnet_of(outer))


def _network(text: str) -> Any:
    address, _, length = text.partition("/")
    return ipaddress.ip_network(f"{formats.parsed_ip(address)}/{int(length)}", strict=False)
