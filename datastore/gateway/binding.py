"""Sockets of listen URLs: bound early, so that a port in use is one line at the start."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import StartError
from datastore.rpc.listeners import OWNER_ONLY, remove_stale

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from datastore.addresses import ListenUrl


class Bound(NamedTuple):
    """What listens for one URL."""

    url: ListenUrl
    sockets: list[socket.socket]
    path: Path | None  # of a unix socket

    def release(self) -> None:
        """Give the addresses back."""
        for held in self.sockets:
            held.close()
        if self.path is not None:
            with suppress(FileNotFoundError):
                self.path.unlink()


def bind(url: ListenUrl) -> Bound:
    """Bind a URL, not listening yet: StartError if its address is not free."""
    if not url.host:
        path = Path(url.address.removeprefix("unix:"))
        return Bound(url, [_unix(path)], path)
    return Bound(url, _tcp(url), None)


def _tcp(url: ListenUrl) -> list[socket.socket]:
    """Bind every address of a host, or none."""
    bound: list[socket.socket] = []
    try:
        for family, address in _addresses(url):
            # With the protocol named the loop sets TCP_NODELAY on what it accepts.
            bound.append(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
            _bind(bound[-1], address)
    except OSError as error:
        for held in bound:
            held.close()
        why = error.strerror or error
        raise StartError(f"cannot listen on {url.url}: {why}: choose another address") from error
    return bound


def _addresses(url: ListenUrl) -> Iterator[tuple[socket.AddressFamily, Any]]:
    port = url.address.rpartition(":")[2]
    for family, _, _, _, address in socket.getaddrinfo(
        url.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        yield family, address


def _bind(held: socket.socket, address: Any) -> None:
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if held.family == socket.AF_INET6:
        held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    held.bind(address)
    held.setblocking(False)


def _unix(path: Path) -> socket.socket:
    if path.is_socket():
        remove_stale(path)
    held = socket.socket(socket.AF_UNIX)
    before = os.umask(OWNER_ONLY)
    try:
        held.bind(str(path))
    except OSError as error:
        held.close()
        why = error.strerror or error
        raise StartError(f"cannot listen on {path}: {why}: choose another path") from error
    finally:
        os.umask(before)
    held.setblocking(False)
    return held
