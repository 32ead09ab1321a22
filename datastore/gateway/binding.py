"""Sockets of listen URLs: bound early, so that a port in use is one line at the start."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from datastore.errors import ConfigError, StartError

OWNER_ONLY = 0o177  # umask of a socket that nobody else may connect to
_SECURE = {"http": False, "https": True, "unix": False, "unixs": True}


class Bound(NamedTuple):
    """What listens for one URL."""

    url: str
    sockets: list[socket.socket]
    secure: bool
    path: Path | None  # of a unix socket

    def release(self) -> None:
        """Give the addresses back."""
        for held in self.sockets:
            held.close()
        if self.path is not None:
            with suppress(FileNotFoundError):
                self.path.unlink()


def bind(url: str, flag: str) -> Bound:
    """Bind a URL, not listening yet: ConfigError if it is none, StartError if it is not free."""
    scheme, _, rest = url.partition("://")
    if scheme not in _SECURE or not rest:
        raise ConfigError(f"{flag} {url!r}: write http://host:port or unix:///path")
    if scheme.startswith("unix"):
        path = Path(rest)
        return Bound(url, [_unix(path)], _SECURE[scheme], path)
    host, port = _address(url, flag)
    return Bound(url, _tcp(url, host, port), _SECURE[scheme], None)


def _address(url: str, flag: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port, beyond = parts.hostname, parts.port, parts.path
    except ValueError:
        host = port = None
        beyond = ""
    if not host or not port or beyond.strip("/"):
        raise ConfigError(f"{flag} {url!r}: write http://host:port or unix:///path")
    return host, port


def _tcp(url: str, host: str, port: int) -> list[socket.socket]:
    bound: list[socket.socket] = []
    try:
        kind = socket.SOCK_STREAM
        for family, _, _, _, address in socket.getaddrinfo(
            host, port, type=kind, flags=socket.AI_PASSIVE
        ):
            # With the protocol named the loop sets TCP_NODELAY on what it accepts.
            held = socket.socket(family, kind, socket.IPPROTO_TCP)
            bound.append(held)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if family == socket.AF_INET6:
                held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            held.bind(address)
            held.setblocking(False)
    except OSError as error:
        for held in bound:
            held.close()
        why = error.strerror or error
        raise StartError(f"cannot listen on {url}: {why}: choose another address") from error
    return bound


def _unix(path: Path) -> socket.socket:
    if path.is_socket():
        _remove_stale(path)
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


def _remove_stale(path: Path) -> None:
    """Remove the socket of a server that is gone; one that answers is in use."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink()
            return
    raise StartError(f"cannot listen on {path}: another server answers there")
