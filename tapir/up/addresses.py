"""The address of this machine that other machines and its own containers reach it by."""

import ipaddress
import socket

from tapir.up.config import ConfigError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def node_address(given: str) -> IPAddress:
    """Return `given` as an address, or the source address of the default route, else 127.0.0.1.

    Raises ConfigError when `given` is not an IP address.
    """
    if given:
        try:
            return ipaddress.ip_address(given)
        except ValueError as error:
            raise ConfigError(f"--node-ip {given} is not an IP address") from error
    # Connecting a datagram socket asks the kernel for a route and sends nothing.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ipaddress.ip_address("127.0.0.1")
        return ipaddress.ip_address(probe.getsockname()[0])
