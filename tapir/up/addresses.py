"""The addresses of a cluster on this machine: the node's, and those that are listened on.

Checked before anything is written, so that a refusal changes nothing.
"""

import errno
import ipaddress
import os
import socket

from tapir.up.config import ConfigError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
ANY_PORT = 0
NOT_OURS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def node_address(given: str) -> IPAddress:
    """Return `given` as an address, or the source address of the default route, else 127.0.0.1.

    Raises ConfigError when `given` is not an IP address, or not one of this machine.
    """
    if given:
        try:
            address = ipaddress.ip_address(given)
        except ValueError as error:
            raise ConfigError(f"--node-ip {given} is not an IP address") from error
        check_listening("--node-ip", str(address), "--node-ip", ANY_PORT)
        return address
    # Connecting a datagram socket asks the kernel for a route and sends nothing.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ipaddress.ip_address("127.0.0.1")
        return ipaddress.ip_address(probe.getsockname()[0])


def check_listening(address_flag: str, address: str, port_flag: str, port: int) -> None:
    """Raise ConfigError, naming the flag that is to blame, when `port` cannot be listened on."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen()
        except OSError as error:
            if error.errno in NOT_OURS:
                raise ConfigError(
                    f"{address_flag} {address} is not an address of this machine: choose another"
                ) from error
            reason = os.strerror(error.errno or 0)
            raise ConfigError(
                f"{port_flag} {port}: {reason}: choose another with {port_flag}"
            ) from error


def local_address(bind_address: IPAddress) -> IPAddress:
    """Return the address at which programs here reach what listens on `bind_address`."""
    if not bind_address.is_unspecified:
        return bind_address
    return ipaddress.ip_address("127.0.0.1" if bind_address.version == 4 else "::1")


def server_url(bind_address: IPAddress, port: int) -> str:
    """Return the URL at which programs on this machine reach a server on `bind_address`."""
    address = local_address(bind_address)
    return f"https://[{address}]:{port}" if address.version == 6 else f"https://{address}:{port}"
