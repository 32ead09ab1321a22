"""ip('10.0.0.1') and cidr('10.0.0.0/8'). Source: the ip and cidr libraries of Kubernetes.

IPv4 addresses within IPv6 ones, zones and leading zeros are refused.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.functions import Function, Overload, function, member
from control_plane.api.cel.types import BOOL, INT, STRING, opaque
from control_plane.api.cel.values import register

if TYPE_CHECKING:
    from collections.abc import Callable

IP: Final = opaque("net.IP")
CIDR: Final = opaque("net.CIDR")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


@dataclass(frozen=True, slots=True)
class Ip:
    """An address."""

    address: Address


@dataclass(frozen=True, slots=True)
class Cidr:
    """An address with the length of its network's prefix."""

    interface: Interface


register(Ip, IP.name)
register(Cidr, CIDR.name)


def _checked(address: Address, text: str) -> None:
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            raise ValueError(f"IP address {text!r} with zone value is not allowed")
        if address.ipv4_mapped is not None:
            raise ValueError("IPv4-mapped IPv6 address is not allowed")


def _ip(text: str) -> Ip:
    try:
        address = ipaddress.ip_address(text)
        _checked(address, text)
    except ValueError as error:
        shown = str(error) if "not allowed" in str(error) else f'ParseAddr("{text}"): unable to'
        tail = "" if "not allowed" in shown else " parse IP"
        raise EvaluationError(
            f'IP Address "{text}" parse error during conversion from string: {shown}{tail}'
        ) from None
    return Ip(address)


def _cidr(text: str) -> Cidr:
    address, slash, length = text.partition("/")
    failure = f"network address parse error during conversion from string: {text}"
    if not slash or not length.isdigit() or (len(length) > 1 and length[0] == "0"):
        raise EvaluationError(failure)
    try:
        interface = ipaddress.ip_interface(text)
        _checked(interface.ip, address)
    except ValueError:
        raise EvaluationError(failure) from None
    return Cidr(interface)


def _succeeds(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def tried(text: str) -> bool:
        try:
            read(text)
        except EvaluationError:
            return False
        return True

    return tried


def _is_canonical(text: str) -> bool:
    return str(_ip(text).address) == text


def _is_global_unicast(ip: Ip) -> bool:
    address = ip.address
    if isinstance(address, ipaddress.IPv4Address) and int(address) == 0xFFFFFFFF:
        return False
    return not (
        address.is_unspecified
        or address.is_loopback
        or address.is_multicast
        or address.is_link_local
    )


def _is_link_local_multicast(ip: Ip) -> bool:
    address = ip.address
    if isinstance(address, ipaddress.IPv4Address):
        return address in ipaddress.ip_network("224.0.0.0/24")
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02


def _contains_ip(cidr: Cidr, ip: Ip) -> bool:
    network = cidr.interface.network
    return ip.address.version == network.version and ip.address in network


def _contains_cidr(cidr: Cidr, other: Cidr) -> bool:
    outer, inner = cidr.interface.network, other.interface
    return (
        outer.version == inner.version
        and inner.ip in outer
        and outer.prefixlen <= inner.network.prefixlen
    )


def _masked(cidr: Cidr) -> Cidr:
    return Cidr(ipaddress.ip_interface(str(cidr.interface.network)))


def _either(name: str, run: Any, own: Any, read: Any) -> Function:
    """A function of a CIDR whose argument may be text as well."""
    return Function(
        name,
        (
            Overload((CIDR, own), BOOL, run, True),
            Overload((CIDR, STRING), BOOL, lambda cidr, text: run(cidr, read(text)), True),
        ),
    )


LIBRARY: Final = (
    function("ip", (STRING,), IP, _ip),
    function("isIP", (STRING,), BOOL, _succeeds(_ip)),
    function("ip.isCanonical", (STRING,), BOOL, _is_canonical),
    function("string", (IP,), STRING, lambda ip: str(ip.address)),
    member("family", (IP,), INT, lambda ip: ip.address.version),
    member("isUnspecified", (IP,), BOOL, lambda ip: ip.address.is_unspecified),
    member("isLoopback", (IP,), BOOL, lambda ip: ip.address.is_loopback),
    member("isLinkLocalMulticast", (IP,), BOOL, _is_link_local_multicast),
    member("isLinkLocalUnicast", (IP,), BOOL, lambda ip: ip.address.is_link_local),
    member("isGlobalUnicast", (IP,), BOOL, _is_global_unicast),
    function("cidr", (STRING,), CIDR, _cidr),
    function("isCIDR", (STRING,), BOOL, _succeeds(_cidr)),
    function("string", (CIDR,), STRING, lambda cidr: str(cidr.interface)),
    _either("containsIP", _contains_ip, IP, _ip),
    _either("containsCIDR", _contains_cidr, CIDR, _cidr),
    member("ip", (CIDR,), IP, lambda cidr: Ip(cidr.interface.ip)),
    member("masked", (CIDR,), CIDR, _masked),
    member("prefixLength", (CIDR,), INT, lambda cidr: cidr.interface.network.prefixlen),
)
