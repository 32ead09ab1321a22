"""One range of addresses for services, and in which order its addresses are tried. Pure.

The first addresses are left to those who ask for a certain one (the static band); who does not
care gets one of the rest, and of the first only when the rest is taken.
Source: the IP allocator of Kubernetes v1.35 (KEP-3070).
"""

import ipaddress
from collections.abc import Callable, Container, Iterable, Iterator

from control_plane.api.objects import Object, dig, find_condition, is_terminating

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
# Returns a number in [0, n).
Below = Callable[[int], int]

LEAST_STATIC, MOST_STATIC, STATIC_SHARE = 16, 256, 16
WIDEST_IPV6 = 64


def static_band(size: int) -> int:
    """How many addresses of a network of `size` are left to those who ask for them."""
    if size <= LEAST_STATIC:
        return 0
    return min(max(LEAST_STATIC, size // STATIC_SHARE), MOST_STATIC)


class AddressRange:
    """The usable addresses of a network: not its own, nor the broadcast address of IPv4."""

    def __init__(self, network: IPNetwork) -> None:
        """`network` is one that a ServiceCIDR names."""
        self.network = network
        self.family = f"IPv{network.version}"
        base, size = int(network.network_address), network.num_addresses
        self._first, self._last = base + 1, base + size - (2 if network.version == 4 else 1)
        self._dynamic = min(self._first + static_band(size), self._last + 1)

    def __contains__(self, address: IPAddress) -> bool:
        return address.version == self.network.version and self._first <= int(address) <= self._last

    def free(self, taken: Container[str], below: Below) -> Iterator[str]:
        """The addresses that are not `taken`, the dynamic band first, each from a random start."""
        make = ipaddress.IPv4Address if self.network.version == 4 else ipaddress.IPv6Address
        for first, end in ((self._dynamic, self._last + 1), (self._first, self._dynamic)):
            if end <= first:
                continue
            start = first + below(end - first)
            for numbers in (range(start, end), range(first, start)):
                for number in numbers:
                    address = str(make(number))
                    if address not in taken:
                        yield address


def address_ranges(service_cidrs: Iterable[Object], *, only_ready: bool) -> list[AddressRange]:
    """The ranges that ServiceCIDR objects name; `only_ready` leaves out what may not give more.

    An object without a condition counts as ready: nothing may be there to write one.
    """
    ranges = {}
    for one in service_cidrs:
        if only_ready and not is_ready(one):
            continue
        for text in dig(one, "spec", "cidrs", default=None) or []:
            network = ipaddress.ip_network(text, strict=False)
            if network.version == 4 or network.prefixlen >= WIDEST_IPV6:
                ranges[text] = AddressRange(network)
    return list(ranges.values())


def is_ready(service_cidr: Object) -> bool:
    """Whether addresses may be taken out of it."""
    ready = find_condition(service_cidr, "Ready")
    return not is_terminating(service_cidr) and (ready is None or ready.get("status") == "True")
