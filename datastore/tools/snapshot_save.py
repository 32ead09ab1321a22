"""Fetching a snapshot from a running server, checked before it gets its name."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager, suppress
from tempfile import mkstemp
from typing import TYPE_CHECKING

import grpc

from datastore.tools.endpoint import CannotReach, Server, connect, credentials, said
from datastore.tools.snapshot_file import BLOCK, DIGEST
from proto.etcd import rpc_pb2, rpc_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO


class CannotSave(CannotReach):
    """The snapshot cannot be had; the message says from where and why."""


def save(server: Server, path: Path) -> int:
    """Write a snapshot to a file, which it replaces, and return the size of the store in it."""
    try:
        with connect(server) as channel, _replacing(path) as file:
            return _fetch(channel, credentials(channel, server), file)
    except grpc.RpcError as error:
        raise CannotSave(f"{server.endpoint}: {said(error)}") from error
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
