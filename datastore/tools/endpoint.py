"""A running etcd, or a server of ours, as a tool's other side: how to reach it, and who asks.

Used by `tapir snapshot save`, `status`, `import` and `export`, whose flags are etcdctl's.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import grpc

from datastore.addresses import ListenUrl, listen_url
from datastore.errors import ConfigError
from proto.etcd import rpc_pb2, rpc_pb2_grpc

if TYPE_CHECKING:
    from pathlib import Path

CONNECT_SECONDS = 5
LOGIN_SECONDS = 30
# A large store is copied before its first byte comes, so how long that takes says nothing: a server
# that does not answer pings any more is gone. Of its own gRPC sends two pings without data.
OPTIONS = [
    ("grpc.max_receive_message_length", -1),  # a page of large values
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.max_pings_without_data", 0),
]


class CannotReach(ConfigError):
    """A server cannot be asked; the message says which and why."""


class Server(NamedTuple):
    """A server: its URL (http, https, unix, or host:port), and who asks it."""

    endpoint: str
    cacert: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    user: str = ""
    password: str = ""
    flag: str = "endpoints"  # that names it on the command line


def check_server(server: Server) -> None:
    """Refuse a URL that is none, or certificates that cannot be used, without asking anybody."""
    if _url(server).secure:
        try:
            _check_files(server)
        except OSError as error:
            raise CannotReach(f"{error.filename or server.cacert}: {error.strerror}") from error


def credentials(channel: grpc.Channel, server: Server) -> list[tuple[str, str]]:
    """Return what proves who asks."""
    if not server.user:
        return []
    request = rpc_pb2.AuthenticateRequest(name=server.user, password=server.password)
    answer = rpc_pb2_grpc.AuthStub(channel).Authenticate(request, timeout=LOGIN_SECONDS)
    return [("token", answer.token)]


def connect(server: Server) -> grpc.Channel:
    """Connect, or say within CONNECT_SECONDS that nobody answers."""
    channel = _open(server)
    try:
        grpc.channel_ready_future(channel).result(timeout=CONNECT_SECONDS)
    except grpc.FutureTimeoutError:
        channel.close()
        raise CannotReach(f"endpoint {server.endpoint} {_silence(server)}") from None
    return channel


def _silence(server: Server) -> str:
    """Return why nobody has answered, and the remedy."""
    url = _url(server)
    if url.host:
        port = int(url.address.rpartition(":")[2])
        with suppress(OSError), socket.create_connection((url.host, port), 1):
            return (
                f"takes connections but does not answer as {'https' if url.secure else 'http'}: "
                "correct that, or the certificates (--cacert, --cert, --key)"
            )
    return "does not answer: start that server, or correct the URL"


def _open(server: Server) -> grpc.Channel:
    url = _url(server)
    if not url.secure:
        return grpc.insecure_channel(url.address, OPTIONS)
    _check_files(server)
    credentials = grpc.ssl_channel_credentials(
        _read(server.cacert), _read(server.key), _read(server.cert)
    )
    return grpc.secure_channel(url.address, credentials, OPTIONS)


def _check_files(server: Server) -> None:
    """Refuse certificates that gRPC would end the process for, or fail with and not say so."""
    cacert, cert, key = server.cacert, server.cert, server.key
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if (cert is None) != (key is None):
        raise CannotReach("--cert and --key: give both or neither")
    try:
        if cacert is not None:
            context.load_verify_locations(cacert)
    except ssl.SSLError:
        raise CannotReach(f"{cacert}: there is no certificate in PEM in it") from None
    try:
        if cert is not None:
            context.load_cert_chain(cert, key, password="")  # and do not ask for one
    except ssl.SSLError as error:
        why = error.reason or "not PEM"
        raise CannotReach(f"{cert} and {key}: no certificate with its key: {why}") from None


def _url(server: Server) -> ListenUrl:
    """Return the parts of an endpoint, http unless it says otherwise; ConfigError if it is none."""
    named = server.endpoint
    return listen_url(server.flag, named if "://" in named else f"http://{named}")


def _read(path: Path | None) -> bytes | None:
    return path.read_bytes() if path else None


def said(error: grpc.RpcError) -> str:
    """Return what a server, or gRPC itself, gave as the reason."""
    return str(error.details()) if isinstance(error, grpc.Call) else str(error)
