"""Fetching a snapshot from a running server, checked before it gets its name."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import grpc

from datastore.errors import ConfigError
from datastore.tools.snapshot_file import BLOCK, DIGEST
from proto.etcd import rpc_pb2, rpc_pb2_grpc

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

CONNECT_SECONDS = 5


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
    part = path.with_name(path.name + ".part")
    try:
        with _channel(source) as channel, _create(part) as file:
            size = _fetch(channel, _metadata(channel, source), file)
            os.fsync(file.fileno())
        part.replace(path)
    except grpc.RpcError as error:
        raise CannotSave(f"{source.endpoint}: {_said(error)}") from error
    except OSError as error:
        raise CannotSave(f"{error.filename or path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return size


def _create(part: Path) -> BinaryIO:
    """Open the file for its owner alone: it will hold secrets."""
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "wb")


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
    return [("token", rpc_pb2_grpc.AuthStub(channel).Authenticate(request).token)]


def _channel(source: Source) -> grpc.Channel:
    scheme, separator, rest = source.endpoint.partition("://")
    target = rest if separator else source.endpoint
    target = f"unix:{target}" if scheme in ("unix", "unixs") and separator else target
    if scheme in ("https", "unixs") and separator:
        credentials = grpc.ssl_channel_credentials(
            _read(source.cacert), _read(source.key), _read(source.cert)
        )
        channel = grpc.secure_channel(target, credentials)
    elif scheme in ("http", "unix") or not separator:
        channel = grpc.insecure_channel(target)
    else:
        raise CannotSave(f"endpoint {source.endpoint!r}: write http://host:port or https://…")
    try:
        grpc.channel_ready_future(channel).result(timeout=CONNECT_SECONDS)
    except grpc.FutureTimeoutError:
        channel.close()
        raise CannotSave(
            f"endpoint {source.endpoint} does not answer: start that server, or correct the URL"
        ) from None
    return channel


def _read(path: Path | None) -> bytes | None:
    return path.read_bytes() if path else None


def _said(error: grpc.RpcError) -> str:
    return str(error.details()) if isinstance(error, grpc.Call) else str(error)
