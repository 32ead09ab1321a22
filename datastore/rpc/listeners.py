"""Binding the client URLs: a port in use or a foreign file is one clear line at the start."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from datastore.errors import StartError

if TYPE_CHECKING:
    import grpc

    from datastore.rpc.grpcio_front import GrpcioFront

UNIX = "unix:"
OWNER_ONLY = 0o177  # umask of a socket that nobody else may connect to


def listen(
    server: GrpcioFront,
    address: str,
    credentials: grpc.ServerCredentials | None = None,
    *,
    shared: bool = False,
) -> None:
    """Bind an address, `host:port` or `unix:/path`; StartError when it cannot be had.

    With `credentials` it speaks TLS; a `shared` port may be another process's too.
    """
    if address.startswith(UNIX):
        _listen_unix(server, address, credentials)
    else:
        probe(address, shared=shared)
        _bind(server, address, credentials)


def forget(address: str) -> None:
    """Remove the socket file of an address that was listened on."""
    if address.startswith(UNIX):
        with suppress(FileNotFoundError):
            Path(address.removeprefix(UNIX)).unlink()


def _listen_unix(
    server: GrpcioFront, address: str, credentials: grpc.ServerCredentials | None
) -> None:
    path = Path(address.removeprefix(UNIX))
    try:
        _probe_unix(path)
    except OSError as error:
        raise StartError(
            f"cannot listen on {path}: {error.strerror or error}: choose another path"
        ) from error
    before = os.umask(OWNER_ONLY)
    try:
        _bind(server, address, credentials)
    finally:
        os.umask(before)


def _probe_unix(path: Path) -> None:
    """Try the path ourselves, and leave it free: gRPC would write lines of its own to stderr."""
    if not path.parent.is_dir():
        raise StartError(f"cannot listen on {path}: there is no directory {path.parent}")
    if path.exists() and not path.is_socket():
        raise StartError(f"cannot listen on {path}: it exists and is not a socket")
    if path.exists():
        remove_stale(path)
    with socket.socket(socket.AF_UNIX) as probe:
        probe.bind(str(path))
    path.unlink()


def remove_stale(path: Path) -> None:
    """Remove the socket of a server that is gone; one that answers is in use."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink()
            return
    raise StartError(f"cannot listen on {path}: another server answers there")


def probe(address: str, *, shared: bool) -> None:
    """Try the port ourselves: gRPC says what is wrong in lines of its own, or not at all."""
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, target in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
                probe.bind(target)
    except OSError as error:
        raise StartError(
            f"cannot listen on {address}: {error.strerror or error}: choose another address"
        ) from error


def _bind(server: GrpcioFront, address: str, credentials: grpc.ServerCredentials | None) -> None:
    try:
        if credentials is None:
            bound = server.add_insecure_port(address)
        else:
            bound = server.add_secure_port(address, credentials)
    except RuntimeError:
        bound = 0
    if not bound:
        raise StartError(f"cannot listen on {address}: it is in use or not of this machine")
