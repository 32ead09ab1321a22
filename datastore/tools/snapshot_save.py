"""Fetching a snapshot from a running server, checked before it gets its name."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
from contextlib import contextmanager, suppress
from tempfile import mkstemp
from typing import TYPE_CHECKING, NamedTuple

import grpc

from datastore.addresses import ListenUrl, listen_url
from datastore.errors import ConfigError
from datastore.tools.snapshot_file import BLOCK, DIGEST
from proto.etcd import rpc_pb2, rpc_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

CONNECT_SECONDS = 5
LOGIN_SECONDS = 30
# A large store is copied before its first byte comes, so how long that takes says nothing: a server
# that does not answer pings any more is gone. Of its own gRPC sends two pings without data.
STILL_THERE = [
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.max_pings_without_data", 0),
]


class CannotSave(ConfigError):
    """The snapshot cannot be had; the message says from where and why."""


class Source(NamedTuple):
    """A server: its URL (http, https, unix, or host:port), and who asks it."""

    endpoint: str
    cacert: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    user: str = ""
    password: str = ""


def save(source: Source, path: Path) -> int:
    """Write a snapshot to a file, which it replaces, and return the size of the store in it."""
    try:
        with _channel(source) as channel, _replacing(path) as file:
            return _fetch(channel, _metadata(channel, source), file)
    except grpc.RpcError as error:
        raise CannotSave(f"{source.endpoint}: {_said(error)}") from error
    except OSError as error:
        raise CannotSave(f"{error.filename or path}: {error.strerror}") from error


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a new file, for its owner alone since it will hold secrets, and then its name to it.

    Until then its name is nobody else's, so another save of that file and a link that somebody left
    in a shared directory are not written to. After a failure it is gone.
    """
    descriptor, part = mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        os.replace(part, path)
        _sync(path.parent)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)


def _sync(directory: Path) -> None:
    """Make the file's name as durable as its content."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fetch(channel: grpc.Channel, metadata: list[tuple[str, str]], file: BinaryIO) -> int:
    """Write every blob; the last one is the checksum of the others."""
    stub = rpc_pb2_grpc.MaintenanceStub(channel)
    digest, size, last = hashlib.sha256(), 0, b""
    for answer in stub.Snapshot(rpc_pb2.SnapshotRequest(), metadata=metadata):
        digest.update(last)
        size += len(last)
        last = answer.blob
        file.write(last)
    if len(last) != DIGEST or last != digest.digest() or size % BLOCK:
        raise CannotSave("the snapshot arrived damaged: try again")
    return size


def _metadata(channel: grpc.Channel, source: Source) -> list[tuple[str, str]]:
    """Return what proves who asks."""
    if not source.user:
        return []
    request = rpc_pb2.AuthenticateRequest(name=source.user, password=source.password)
    answer = rpc_pb2_grpc.AuthStub(channel).Authenticate(request, timeout=LOGIN_SECONDS)
    return [("token", answer.token)]


def _channel(source: Source) -> grpc.Channel:
    """Connect, or say within CONNECT_SECONDS that nobody answers."""
    channel = _open(source)
    try:
        grpc.channel_ready_future(channel).result(timeout=CONNECT_SECONDS)
    except grpc.FutureTimeoutError:
        channel.close()
        raise CannotSave(f"endpoint {source.endpoint} {_silence(source.endpoint)}") from None
    return channel


def _silence(endpoint: str) -> str:
    """Return why nobody has answered, and the remedy."""
    url = _url(endpoint)
    if url.host:
        port = int(url.address.rpartition(":")[2])
        with suppress(OSError), socket.create_connection((url.host, port), 1):
            return (
                f"takes connections but does not answer as {'https' if url.secure else 'http'}: "
                "correct that, or the certificates (--cacert, --cert, --key)"
            )
    return "does not answer: start that server, or correct the URL"


def _open(source: Source) -> grpc.Channel:
    url = _url(source.endpoint)
    if not url.secure:
        return grpc.insecure_channel(url.address, STILL_THERE)
    _check_files(source)
    credentials = grpc.ssl_channel_credentials(
        _read(source.cacert), _read(source.key), _read(source.cert)
    )
    return grpc.secure_channel(url.address, credentials, STILL_THERE)


def _check_files(source: Source) -> None:
    """Refuse certificates that gRPC would end the process for, or fail with and not say so."""
    cacert, cert, key = source.cacert, source.cert, source.key
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if (cert is None) != (key is None):
        raise CannotSave("--cert and --key: give both or neither")
    try:
        if cacert is not None:
            context.load_verify_locations(cacert)
    except ssl.SSLError:
        raise CannotSave(f"{cacert}: there is no certificate in PEM in it") from None
    try:
        if cert is not None:
            context.load_cert_chain(cert, key, password="")  # and do not ask for one
    except ssl.SSLError as error:
        why = error.reason or "not PEM"
        raise CannotSave(f"{cert} and {key}: no certificate with its key: {why}") from None


def _url(endpoint: str) -> ListenUrl:
    """Return the parts of an endpoint, http unless it says otherwise; ConfigError if it is none."""
    return listen_url("endpoints", endpoint if "://" in endpoint else f"http://{endpoint}")


def _read(path: Path | None) -> bytes | None:
    return path.read_bytes() if path else None


def _said(error: grpc.RpcError) -> str:
    return str(error.details()) if isinstance(error, grpc.Call) else str(error)
