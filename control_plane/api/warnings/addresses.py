"""IP addresses and ranges that are understood, but not written as they should be.

Called by the warnings of services, endpoints, network policies, nodes and pods. Source: v1.35
apimachinery validation of IPs.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from control_plane.api.go_syntax import quote
from control_plane.api.validation import formats

if TYPE_CHECKING:
    from collections.abc import Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def warn_of_address(text: str, path: str) -> Iterator[str]:
    """Warn of an address with leading zeros, an IPv4 address in IPv6 form, an unusual IPv6 form."""
    address = formats.parsed_ip(text)
    if address is None:
        return
    plain = _plain(address)
    if not _is_strict(text) or plain.version != address.version:
        yield (
            f"{path}: non-standard IP address {quote(text)} will be considered invalid in a future "
            f"Kubernetes release: use {quote(str(plain))}"
        )
    elif address.version == 6 and str(address) != text:
        yield (
            f"{path}: IPv6 address {quote(text)} should be in RFC 5952 canonical format "
            f"({quote(str(address))})"
        )


def warn_of_range(text: str, path: str) -> Iterator[str]:
    """Warn of a range with bits beyond its prefix, or written in an unusual way."""
    if formats.cidr(text):
        return
    address_text, _, length = text.partition("/")
    address = formats.parsed_ip(address_text)
    if address is None:
        return
    network = ipaddress.ip_network((address, int(length)), strict=False)
    if address != network.network_address:
        single = f"{address}/{address.max_prefixlen}"
        yield (
            f"{path}: CIDR value {quote(text)} is ambiguous in this context (should be "
            f"{quote(str(network))} or {quote(single)}?)"
        )
    is_mapped = _plain(address).version != address.version
    if not _is_strict(address_text) or str(int(length)) != length or is_mapped:
        yield (
            f"{path}: non-standard CIDR value {quote(text)} will be considered invalid in a future "
            f"Kubernetes release: use {quote(str(network))}"
        )
    elif address.version == 6 and f"{address}/{length}" != text:
        yield (
            f"{path}: IPv6 CIDR value {quote(text)} should be in RFC 5952 canonical format "
            f"({quote(f'{address}/{length}')})"
        )


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    return getattr(address, "ipv4_mapped", None) or address


def _is_strict(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
